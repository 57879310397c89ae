"""Incremental capture: stat every path, but re-read only what changed."""
