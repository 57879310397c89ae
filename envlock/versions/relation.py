"""The relation of one version to another."""

from __future__ import annotations

from enum import StrEnum


class Relation(StrEnum):
    """How the right version compares with the left one."""

    NEWER = "newer"
    OLDER = "older"
    DIFFERS = "differs"
