"""The seam between the two halves of a rebuild: what reads content, and what writes it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from envlock.model.tree import Row


class Contents(Protocol):
    """Gives the content of any regular file of a tree."""

    def chunks(self, row: Row) -> Iterable[bytes]:
        """Yield the content of a FILE row, in pieces of any size.

        Once all pieces were yielded, the content had `row.entry.size` and `row.entry.sha256`.
        Raise MaterializeError when it cannot be read or differs.
        """
