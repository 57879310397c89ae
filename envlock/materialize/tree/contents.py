"""The seam between the two halves of a rebuild: where bytes come from, and who writes them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from envlock.model.tree import Row


class Contents(Protocol):
    """Gives back the content of any regular file of a tree."""

    def chunks(self, row: Row) -> Iterable[bytes]:
        """Yield the content of a FILE row, in pieces of any size.

        What is yielded in whole was verified against `row.entry.size` and `row.entry.sha256`.
        Raise MaterializeError when it cannot be had or differs.
        """
