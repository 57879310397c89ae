"""Versions: their order in each ecosystem, and how alike two of them are."""
