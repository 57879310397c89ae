"""Collectors for the host below the environment: kernel, drivers, hardware, limits."""
