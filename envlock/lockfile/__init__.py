"""Lockfiles: the canonical writer, the reader, merging, and checking."""
