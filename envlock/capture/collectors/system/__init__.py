"""Collectors for the configured system: accounts, services, settings, unpackaged software."""
