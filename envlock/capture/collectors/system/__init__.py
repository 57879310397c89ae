"""Collectors for what is configured: accounts, services, settings."""
