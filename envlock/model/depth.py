"""How much of an environment a capture reads."""

from __future__ import annotations

from enum import StrEnum


class Depth(StrEnum):
    """How much of the file tree a capture reads."""

    RECORDS = "records"
    """Only the files that the chosen collectors read: packages and facts, in a moment."""
    CONFIG = "config"
    """The names of all files, and the content of configuration and Python environments."""
    FULL = "full"
    """Every file is read and hashed and the residue is kept: the lock can be materialized."""
