"""Where artifacts come from, one module per source; each file they give is verified."""
