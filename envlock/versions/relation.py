"""How one version stands to another."""

from __future__ import annotations

from enum import StrEnum


class Relation(StrEnum):
    """How the right value stands to the left one."""

    NEWER = "newer"
    OLDER = "older"
    DIFFERS = "differs"
