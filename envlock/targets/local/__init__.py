"""Targets on this machine, read from its file system."""
