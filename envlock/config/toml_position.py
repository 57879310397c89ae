"""The line of a key in a TOML document, which `tomllib` does not report and errors need."""

from __future__ import annotations

import tomllib
from bisect import bisect_left
from typing import Any

_WORK = 2_000_000
"""Most characters that are parsed to find one line; 20 times a longer document."""

Keys = tuple[str | int, ...]
"""The path of a value in a document: names of tables and keys, and indices of arrays."""


def line_of(text: str, keys: Keys) -> int:
    """Return the line, counted from 1, on which the value at `keys` of a valid document starts.

    It is the line after the longest valid start of the document that does not have the value yet,
    and 0 when it would take long to find.
    """
    beginnings = _Beginnings(text)
    count = text.count("\n") + 1
    try:
        end = bisect_left(range(count), True, key=lambda n: _holds(beginnings.longest(n), keys))
        start = end
        while start > 1 and beginnings.parse(start - 1) is None:
            start -= 1
    except _TooMuchWork:
        return 0
    return start


class _TooMuchWork(Exception):
    """A string of thousands of lines, in which no line ends a valid document."""


class _Beginnings:
    """Parses the first lines of a document, as long as that is not too much work."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._left = max(_WORK, 20 * len(text))

    def longest(self, count: int) -> dict[str, Any]:
        """Return the longest valid document in the first `count` lines."""
        while (document := self.parse(count)) is None:
            count -= 1
        return document

    def parse(self, count: int) -> dict[str, Any] | None:
        """Return the document in the first `count` lines, or None when that is not valid."""
        text = "\n".join((*self._lines[:count], ""))
        self._left -= len(text)
        if self._left < 0:
            raise _TooMuchWork
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError:
            return None


def _holds(document: object, keys: Keys) -> bool:
    for key in keys:
        if isinstance(key, int):
            if not isinstance(document, list) or key >= len(document):
                return False
            document = document[key]
        else:
            if not isinstance(document, dict) or key not in document:
                return False
            document = document[key]
    return True
