"""Collectors for the package managers of computing centres."""
