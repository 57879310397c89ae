"""Targets on this machine that are read from its file system."""
