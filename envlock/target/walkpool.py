"""Walk a tree by worker processes, each looking at some directories while others do at others."""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Iterator
from typing import Any

from envlock.target import walking
from envlock.target.walking import LeftOut, Listing
from envlock.target.worker import Worker

_FEW = 200
"""Directories that are listed before a process is worth its start."""
_BATCH = 100
"""Directories a worker lists before it answers."""
_NAMES = 5000
"""Names a worker looks at, to sign, before it answers."""


class WalkPool:
    """Lists or signs the directories of a root, a few in this process and more by `workers`.

    `workers` of 0 is one for each processor.
    """

    def __init__(self, root: str, workers: int) -> None:
        self._root = root
        self._count = workers or os.cpu_count() or 1
        self._workers: list[Worker] = []
        self._todo = [""]

    def enter(self, path: str) -> None:
        """Have a directory, named by its path below the root, listed too."""
        self._todo.append(path)

    def listings(
        self, untouched: list[str], with_xattrs: Callable[[str], bool]
    ) -> Iterator[Listing]:
        """Yield a listing of each directory there is to list, in no particular order.

        `untouched` are paths that are not even looked at; attributes are read in directories
        `with_xattrs`.  The caller has more directories listed (`enter`) while it is given what was
        found.
        """
        done = 0
        while self._todo and done < _FEW:
            path = self._todo.pop()
            attributed = [path] if with_xattrs(path) else []
            yield from walking.listings((self._root, [path], untouched, attributed))
            done += 1

        def order(worker: Worker) -> None:
            batch = self._take(min(_BATCH, -(-len(self._todo) // self._count)))
            attributed = list(filter(with_xattrs, batch))
            worker.send(("list", (self._root, batch, untouched, attributed)))

        idle = self._start()
        busy: list[Worker] = []
        while self._todo or busy:
            while self._todo and idle:
                busy.append(idle.pop())
                order(busy[-1])
            for worker in _ready(busy):
                answer = worker.receive()
                # It has the next before this is looked at; one that has not answered has none, so
                # nobody ever waits for room in a pipe while the other does.
                if self._todo:
                    order(worker)
                else:
                    busy.remove(worker)
                    idle.append(worker)
                yield from answer

    def sign(self, left_out: LeftOut) -> dict[str, bytes]:
        """Return the signature of every directory below the root."""
        search = (self._root, self._todo, _NAMES, left_out)
        signatures, self._todo = walking.sign(search)
        idle = self._start()
        busy: list[Worker] = []
        while self._todo or busy:
            while self._todo and idle:
                batch = self._take(-(-len(self._todo) // len(idle)))
                worker = idle.pop()
                worker.send(("sign", (self._root, batch, _NAMES, left_out)))
                busy.append(worker)
            for worker in _ready(busy):
                found, todo = worker.receive()
                signatures |= found
                self._todo += todo
                busy.remove(worker)
                idle.append(worker)
        return signatures

    def close(self) -> None:
        """End the workers; what they have not done is dropped."""
        for worker in self._workers:
            worker.close()
        self._workers = []

    def _start(self) -> list[Worker]:
        """Return the workers, started if there is something for them to do."""
        if self._todo and not self._workers:
            self._workers = [Worker(walking.__file__) for _ in range(self._count)]
        return list(self._workers)

    def _take(self, most: int) -> list[str]:
        batch, self._todo = self._todo[-most:], self._todo[:-most]
        return batch


def _ready(workers: list[Worker]) -> list[Any]:
    """Wait for an answer; return the workers that have one."""
    return select.select(workers, [], [])[0]
