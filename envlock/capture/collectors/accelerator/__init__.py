"""Collectors for GPU and linear algebra libraries, installed and loaded."""
