"""Collectors for the host: kernel, drivers, hardware, limits."""
