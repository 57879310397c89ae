"""Software that is found by looking through the file system."""
