"""Hash many files beside the walk that finds them, in worker processes and in order."""

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
_PATIENCE = 10
"""How far the walk, which finds what there is to hash, goes before."""


class HashPool:
    """Takes jobs at any time and works on them at once; `results` waits for all of them.

    A few files are hashed in this process; more of them by `workers` processes (0: one for each
    processor), which are started when that is known.
    """

    def __init__(self, workers: int) -> None:
        self._count = workers or os.cpu_count() or 1
        self._waiting: list[Job] = []
        self._running: list[Future[list[Result]]] = []
        self._idle: SimpleQueue[Worker] = SimpleQueue()
        self._workers: list[Worker] = []
        self._threads = ThreadPoolExecutor(self._count)

    def submit(self, job: Job) -> None:
        """Take a job."""
        self._waiting.append(job)
        if len(self._waiting) >= (_BATCH if self._workers else _FEW):
            self._send()

    def results(self) -> Iterator[Result]:
        """Yield a result for each job, in the order they were submitted."""
        if not self._workers:
            yield from hashing.answer(self._waiting)
            return
        self._send()
        for future in self._running:
            yield from future.result()

    def close(self) -> None:
        """End the workers; what they have not done is dropped."""
        for future in self._running:
            future.cancel()
        for worker in self._workers:
            worker.close()
        self._threads.shutdown()

    def _send(self) -> None:
        if not self._workers:
            self._workers = [Worker(hashing.__file__, _PATIENCE) for _ in range(self._count)]
            for worker in self._workers:
                self._idle.put(worker)
        for start in range(0, len(self._waiting), _BATCH):
            batch = self._waiting[start : start + _BATCH]
            self._running.append(self._threads.submit(self._run, batch))
        self._waiting = []

    def _run(self, batch: list[Job]) -> list[Result]:
        worker = self._idle.get()
        try:
            worker.send(batch)
            results: list[Result] = worker.receive()
            return results
        finally:
            self._idle.put(worker)
