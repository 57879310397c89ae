"""The order of semantic versions (semver.org 2.0.0, item 11): npm, Cargo, Go modules.

A leading ``v`` (Go) is allowed.  Build metadata are ignored: they have no order.
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
    """A version as a sort key; the final version comes after its pre-releases."""

    core: tuple[int, ...]
    is_final: bool
    pre: tuple[tuple[bool, int, str], ...]


def compare(left: str, right: str) -> int:
    """Return -1, 0 or 1 as `left` is older than, the same as, or newer than `right`.

    Raise ValueError for a string that is not a semantic version.
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
