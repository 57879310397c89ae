"""Walk a tree by worker processes, each listing some directories while others are looked at."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from typing import cast

from envlock.target import walking
from envlock.target.walking import Listing, Order, Signature
from envlock.target.worker import Worker

_FEW = 200
"""Directories that are listed before a process is worth its start."""
_BATCH = 100
_AHEAD = 2
"""Orders given to a worker before it has answered."""


class WalkPool:
    """Lists directories of a root, a few in this process and more of them by `workers` processes.

    `workers` of 0 is one for each processor.  `untouched` are paths that are not even looked at.
    The caller has more directories listed while it is given what was found.
    """

    def __init__(self, root: str, workers: int, untouched: list[str]) -> None:
        self._root = root
        self._count = workers or os.cpu_count() or 1
        self._untouched = untouched
        self._workers: list[Worker] = []
        self._todo = [""]

    def enter(self, path: str) -> None:
        """Have a directory, named by its path below the root, listed too."""
        self._todo.append(path)

    def list(self, *, with_xattrs: bool) -> Iterator[Listing]:
        """Yield a listing of each directory there is to list, in no particular order."""
        return cast("Iterator[Listing]", self._run(signs=False, with_xattrs=with_xattrs))

    def sign(self) -> Iterator[Signature]:
        """Yield a signature of each directory there is to list, in no particular order."""
        return cast("Iterator[Signature]", self._run(signs=True, with_xattrs=False))

    def close(self) -> None:
        """End the workers; what they have not done is dropped."""
        for worker in self._workers:
            worker.close()
        self._workers = []

    def _run(self, *, signs: bool, with_xattrs: bool) -> Iterator[Listing | Signature]:
        done = 0
        while self._todo and done < _FEW:
            yield from walking.answer_here(self._order(1, signs, with_xattrs))
            done += 1
        if not self._todo:
            return
        self._workers = self._workers or [Worker(walking.__file__) for _ in range(self._count)]
        waiting = dict.fromkeys(self._workers, 0)
        while self._todo or any(waiting.values()):
            for worker in sorted(waiting, key=waiting.__getitem__) * _AHEAD:
                if self._todo and waiting[worker] < _AHEAD:
                    worker.send(self._order(_BATCH, signs, with_xattrs))
                    waiting[worker] += 1
            ready, _, _ = select.select([w for w in waiting if waiting[w]], [], [])
            for worker in ready:
                waiting[worker] -= 1
                yield from worker.receive()

    def _order(self, most: int, signs: bool, with_xattrs: bool) -> Order:
        """Return an order for a share of what there is to do."""
        most = min(most, -(-len(self._todo) // (self._count * _AHEAD)))
        batch, self._todo = self._todo[-most:], self._todo[:-most]
        return signs, self._root, batch, self._untouched, with_xattrs
