"""Settings: one table of them, ranked sources, and an editor that keeps comments."""
