"""Hash many files in worker processes, while the walk that finds them goes on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue

from envlock.targets.local import hashing
from envlock.targets.local.hashing import Job, Result
from envlock.targets.local.worker import Worker

_BATCH = 128
_FEW = 256
"""Jobs from which on starting processes pays."""
_NICENESS = 10
"""Lower priority than the walk, which must go on to find more files."""


class HashPool:
    """Hashes the files below `root` that are submitted; `results` waits for all of them.

    A few files are hashed in this process.  For more, `workers` processes are started (0: one for
    each processor).
    """

    def __init__(self, root: str, workers: int) -> None:
        self._root = root
        self._count = workers or os.cpu_count() or 1
        self._waiting: list[Job] = []
        self._running: list[Future[list[Result]]] = []
        self._idle: SimpleQueue[Worker] = SimpleQueue()
        self._workers: list[Worker] = []
        self._threads = ThreadPoolExecutor(self._count)

    def submit(self, job: Job) -> None:
        """Add a job."""
        self._waiting.append(job)
        if len(self._waiting) >= (_BATCH if self._workers else _FEW):
            self._send()

    def results(self) -> Iterator[Result]:
        """Yield a result for each job, in the order they were submitted."""
        if not self._workers:
            yield from hashing.handle((self._root, self._waiting))
            return
        self._send()
        for future in self._running:
            yield from future.result()

    def close(self) -> None:
        """End the workers and drop unfinished jobs."""
        for future in self._running:
            future.cancel()
        for worker in self._workers:
            worker.close()
        self._threads.shutdown()

    def _send(self) -> None:
        if not self._workers:
            self._workers = [Worker(hashing.__file__, _NICENESS) for _ in range(self._count)]
            for worker in self._workers:
                self._idle.put(worker)
        for start in range(0, len(self._waiting), _BATCH):
            batch = self._waiting[start : start + _BATCH]
            self._running.append(self._threads.submit(self._run, batch))
        self._waiting = []

    def _run(self, batch: list[Job]) -> list[Result]:
        worker = self._idle.get()
        try:
            worker.send((self._root, batch))
            results: list[Result] = worker.receive()
            return results
        finally:
            self._idle.put(worker)
