"""One side of a comparison, as policy and a three-way comparison look at it."""

from __future__ import annotations

from typing import NamedTuple

from envlock.model.lock import Lock
from envlock.model.tree import Tree


class Side(NamedTuple):
    """One environment: the name policy knows it by, its lock, its file tree where at hand."""

    name: str
    lock: Lock
    tree: Tree | None = None
