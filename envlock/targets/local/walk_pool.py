"""Walk a tree by worker processes, each looking at some directories while others do at others."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from typing import Any

from envlock.targets.folder import Listing
from envlock.targets.local import walk_worker
from envlock.targets.local.walk_worker import ContentSelection, Exclusions
from envlock.targets.local.worker import Worker

_FEW = 1000
"""Names that are looked at in this process before others are worth their start."""
_NAMES = 5000
"""Names that a worker looks at before it answers."""


class WalkPool:
    """Lists or signs the directories of a root, a few in this process and more by `workers`.

    `workers` of 0 is one for each processor.
    """

    def __init__(self, root: str, workers: int) -> None:
        self._root = root
        self._count = workers or os.cpu_count() or 1
        self._workers: list[Worker] = []
        self._todo = [""]

    def walk(self, excluded: Exclusions, asked: ContentSelection) -> Iterator[Listing]:
        """Yield a listing of every directory below the root, in no particular order."""
        for listings in self._answers("walk", excluded, asked):
            yield from map(Listing._make, listings)

    def signatures(self, excluded: Exclusions) -> dict[str, bytes]:
        """Return the signature of every directory below the root."""
        found: dict[str, bytes] = {}
        for part in self._answers("sign", excluded, None):
            found |= part
        return found

    def close(self) -> None:
        """End the workers; what they have not done is dropped."""
        for worker in self._workers:
            worker.close()
        self._workers = []

    def _answers(self, what: str, excluded: Exclusions, asked: ContentSelection) -> Iterator[Any]:
        here = walk_worker.sign if what == "sign" else walk_worker.walk
        found, self._todo = here((self._root, self._todo, _FEW, excluded, asked))
        yield found
        if self._todo:
            self._workers = [Worker(walk_worker.__file__) for _ in range(self._count)]
        idle = list(self._workers)
        busy: list[Worker] = []
        while self._todo or busy:
            while self._todo and idle:
                batch = self._take(-(-len(self._todo) // len(idle)))
                busy.append(idle.pop())
                busy[-1].send((what, (self._root, batch, _NAMES, excluded, asked)))
            for worker in select.select(busy, [], [])[0]:
                found, todo = worker.receive()
                self._todo += todo
                busy.remove(worker)
                # It goes on before this is looked at; one that has not answered gets no order, so
                # nobody ever waits for room in a pipe while the other does.
                if self._todo:
                    batch = self._take(-(-len(self._todo) // self._count))
                    worker.send((what, (self._root, batch, _NAMES, excluded, asked)))
                    busy.append(worker)
                else:
                    idle.append(worker)
                yield found

    def _take(self, most: int) -> list[str]:
        batch, self._todo = self._todo[-most:], self._todo[:-most]
        return batch
