"""The line of a key in a TOML document, which `tomllib` does not report and errors need."""

from __future__ import annotations

import tomllib
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

Keys = tuple[str | int, ...]
"""The path of a value in a document: names of tables and keys, and indices of arrays."""


def line_of(text: str, keys: Keys) -> int:
    """Return the line, counted from 1, on which the value at `keys` of a valid document starts.

    It is the line after the longest valid start of the document that does not have the value yet.
    """
    lines = text.split("\n")
    end = bisect_left(range(len(lines)), True, key=lambda n: _holds(_beginning(lines, n), keys))
    start = end
    while start > 1 and _parse(lines, start - 1) is None:
        start -= 1
    return start


def _beginning(lines: Sequence[str], count: int) -> dict[str, Any]:
    """Return the longest valid document in the first `count` lines."""
    while (document := _parse(lines, count)) is None:
        count -= 1
    return document


def _parse(lines: Sequence[str], count: int) -> dict[str, Any] | None:
    try:
        return tomllib.loads("\n".join((*lines[:count], "")))
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
