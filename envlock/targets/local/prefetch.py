"""Run a generator in a thread, ahead of the consumer of its items."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from queue import SimpleQueue
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Prefetcher(Generic[_T]):
    """An iterable over a generator that starts at once; items wait in a queue.

    An exception of the generator is raised to the consumer.
    """

    def __init__(self, source: Generator[_T]) -> None:
        self._source = source
        self._queue: SimpleQueue[tuple[_T] | None] = SimpleQueue()
        self._error: BaseException | None = None
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[_T]:
        while (item := self._queue.get()) is not None:
            yield item[0]
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Drop the remaining items, and wait until the generator is closed."""
        self._is_closed = True
        self._thread.join()

    def _run(self) -> None:
        try:
            for item in self._source:
                if self._is_closed:
                    break
                self._queue.put((item,))
        except BaseException as error:  # noqa: BLE001  raised again by `__iter__`
            self._error = error
        finally:
            self._queue.put(None)
            self._source.close()
