"""Walk a tree with worker processes, each of which lists some of its directories."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from selectors import EVENT_READ, PollSelector
from typing import Any, NamedTuple

from envlock.targets.folder import Listing
from envlock.targets.local import walk_worker
from envlock.targets.local.walk_worker import ContentSelection, Exclusions
from envlock.targets.local.worker import PIPE_SIZE, Worker


class Batching(NamedTuple):
    """How a walk is divided; tests choose other numbers.

    `few` names are listed in this process, before starting others pays; a worker lists `names`
    names before it replies, into a pipe of `pipe_size` bytes.
    """

    few: int = 1000
    names: int = 5000
    pipe_size: int = PIPE_SIZE


DEFAULT_BATCHING = Batching()


class WalkPool:
    """Lists or signs all directories below a root.

    A few are listed in this process.  For more, `workers` processes are started (0: one for each
    processor).
    """

    def __init__(self, root: str, workers: int, batching: Batching = DEFAULT_BATCHING) -> None:
        self._root = root
        self._count = workers or os.cpu_count() or 1
        self._batching = batching
        self._workers: list[Worker] = []
        self._todo = [""]

    def walk(self, excluded: Exclusions, selected: ContentSelection) -> Iterator[Listing]:
        """Yield a listing of every directory below the root, in no particular order."""
        for listings in self._results("walk", excluded, selected):
            yield from map(Listing._make, listings)

    def signatures(self, excluded: Exclusions) -> dict[str, bytes]:
        """Return the signature of every directory below the root."""
        found: dict[str, bytes] = {}
        for part in self._results("signatures", excluded, None):
            found |= part
        return found

    def close(self) -> None:
        """End the workers and drop unfinished work."""
        for worker in self._workers:
            worker.close()
        self._workers = []

    def _results(
        self, what: str, excluded: Exclusions, selected: ContentSelection
    ) -> Iterator[Any]:
        few, names, pipe_size = self._batching
        here = walk_worker.signatures if what == "signatures" else walk_worker.walk
        found, self._todo = here((self._root, self._todo, few, excluded, selected))
        yield found
        if self._todo:
            script = walk_worker.__file__
            self._workers = [Worker(script, pipe_size=pipe_size) for _ in range(self._count)]
        idle = list(self._workers)
        busy: list[Worker] = []
        while self._todo or busy:
            while self._todo and idle:
                batch = self._take(-(-len(self._todo) // len(idle)))
                busy.append(idle.pop())
                busy[-1].send((what, (self._root, batch, names, excluded, selected)))
            for worker in _answering(busy):
                found, todo = worker.receive()
                self._todo += todo
                busy.remove(worker)
                # The next request is sent before the reply is processed.  A worker gets none until
                # it has replied, so that neither side blocks on a full pipe while the other does.
                if self._todo:
                    batch = self._take(-(-len(self._todo) // self._count))
                    worker.send((what, (self._root, batch, names, excluded, selected)))
                    busy.append(worker)
                else:
                    idle.append(worker)
                yield found

    def _take(self, most: int) -> list[str]:
        batch, self._todo = self._todo[-most:], self._todo[:-most]
        return batch


def _answering(workers: Iterable[Worker]) -> list[Worker]:
    """Wait until workers reply, and return them.  select(2) knows no descriptor above 1023."""
    with PollSelector() as selector:
        for worker in workers:
            selector.register(worker, EVENT_READ, worker)
        return [key.data for key, _events in selector.select()]
