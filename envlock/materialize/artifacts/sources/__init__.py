"""Where artifacts come from, one module per kind of source; bytes are verified, never trusted."""
