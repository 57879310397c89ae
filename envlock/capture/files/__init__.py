"""The owner and class of each path, and where it differs from its package."""
