"""Formats of dpkg and apt."""
