"""Do what an iterator does in a thread, ahead of whoever takes what it yields."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from queue import SimpleQueue
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Prefetcher(Generic[_T]):
    """An iterator that is begun at once, and whose items are kept until they are taken.

    What it raises is raised where the items are taken.
    """

    def __init__(self, source: Generator[_T]) -> None:
        self._source = source
        self._found: SimpleQueue[tuple[_T] | None] = SimpleQueue()
        self._error: BaseException | None = None
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[_T]:
        while (found := self._found.get()) is not None:
            yield found[0]
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Drop what was not taken, and wait for the source to be closed."""
        self._is_closed = True
        self._thread.join()

    def _run(self) -> None:
        try:
            for found in self._source:
                if self._is_closed:
                    break
                self._found.put((found,))
        except BaseException as error:  # noqa: BLE001  it is raised again by `__iter__`
            self._error = error
        finally:
            self._found.put(None)
            self._source.close()
