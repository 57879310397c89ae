"""The order of semantic versions (semver.org 2.0.0, item 11): npm, Cargo, Go modules.

A leading ``v`` (Go) is allowed, and build metadata, which have no order, are passed over.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_VERSION = re.compile(
    r"v?(?P<core>(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*)){2})"
    r"(?:-(?P<pre>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
    r"(?:\+[0-9A-Za-z.-]+)?\Z"
)


class _Key(NamedTuple):
    """A version as a value that sorts; a final version after its pre-releases."""

    core: tuple[int, ...]
    is_final: bool
    pre: tuple[tuple[bool, int, str], ...]


def compare(left: str, right: str) -> int:
    """Return -1, 0 or 1 as `left` is older than, the same as, or newer than `right`.

    Raise ValueError for a string that is no semantic version.
    """
    a, b = _key(left), _key(right)
    return (a > b) - (a < b)


def _key(version: str) -> _Key:
    match = _VERSION.match(version)
    if match is None:
        raise ValueError(f"not a semantic version: {version!r}")
    parts = match["pre"].split(".") if match["pre"] else []
    # Numbers sort by value and before words.
    pre = tuple((False, int(part), "") if part.isdigit() else (True, 0, part) for part in parts)
    return _Key(tuple(map(int, match["core"].split("."))), not parts, pre)
