"""Destinations of an image, one module per sink."""
