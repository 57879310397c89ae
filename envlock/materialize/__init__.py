"""Rebuild a lock into a container image without running any package script."""
