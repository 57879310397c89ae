"""Views of a scan and its files that note what is asked of them, for a recording."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO

from envlock.capture.scan.index import Index
from envlock.capture.scan.search import PathSearch
from envlock.model.tree import Entry
from envlock.targets.paged import PagedFile


class PagedStream(io.BufferedReader):
    """Reads pages, and closes the stream that they come from."""

    def __init__(self, pages: PagedFile, stream: BinaryIO) -> None:
        super().__init__(pages)
        self._stream = stream

    def close(self) -> None:
        """Close both."""
        super().close()
        self._stream.close()


class WatchedIndex(Mapping[str, Entry]):
    """A mapping that records every entry that is looked up."""

    def __init__(self, index: Mapping[str, Entry], noted: dict[str, Entry]) -> None:
        self._index = index
        self._noted = noted

    def __getitem__(self, path: str) -> Entry:
        entry = self._index[path]
        self._noted[path] = entry
        return entry

    def __iter__(self) -> Iterator[str]:
        return iter(self._index)

    def __len__(self) -> int:
        return len(self._index)


class WatchedSearch(PathSearch):
    """A search that looks up what it finds in a watched mapping."""

    def __init__(self, index: Index, expected: Iterable[str], watched: Mapping[str, Entry]) -> None:
        super().__init__(index, expected)
        self._watched = watched

    def find(self, patterns: Iterable[str]) -> list[str]:
        """Return the paths that match, all of them recorded."""
        return [path for path in super().find(patterns) if path in self._watched]
