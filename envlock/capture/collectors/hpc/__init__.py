"""Collectors for the software of computing centres."""
