"""Collectors for the operating system and its packages."""
