"""The walk of the file system that all collectors share, and what they asked of it."""
