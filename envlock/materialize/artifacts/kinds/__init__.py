"""Kinds of artifacts, one module each: how its members are read."""
