"""Compare three and more environments."""
