"""Kinds of artifacts, one module each: how one is described, opened and timed."""
