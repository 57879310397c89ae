"""One side of a comparison, for policy and three-way comparison."""

from __future__ import annotations

from typing import NamedTuple

from envlock.model.lock import Lock
from envlock.model.tree import Tree


class Side(NamedTuple):
    """One environment: its name in policies, its lock, and its file tree if available."""

    name: str
    lock: Lock
    tree: Tree | None = None
