"""The order of RPM versions, as in rpm-version(7) and rpm's rpmvercmp: ``[epoch:]version-release``.

A version is a list of numbers and words; which separators are between them does not matter.  ``~``
sorts before the end of a version, ``^`` after it but before anything else that can follow.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_VERSION = re.compile(
    r"(?:([0-9]+):)?([A-Za-z0-9._+~^%{}]+)(?:-([A-Za-z0-9._+~^%{}]+))?\Z", re.ASCII
)
_PART = re.compile(r"[0-9]+|[A-Za-z]+|~|\^", re.ASCII)
_END = (1, 0, "")

_Part = tuple[int, int, str]


class _Key(NamedTuple):
    """A version as a sort key; without a release it sorts before all its releases."""

    epoch: int
    version: list[_Part]
    release: list[_Part]


def compare(left: str, right: str) -> int:
    """Return -1, 0 or 1 as `left` is older than, the same as, or newer than `right`.

    Raise ValueError for a string that is not an RPM version.
    """
    a, b = _key(left), _key(right)
    return (a > b) - (a < b)


def upstream(version: str) -> str:
    """Return a version without epoch and release.  Raise ValueError as `compare`."""
    return _match(version)[2]


def _match(version: str) -> re.Match[str]:
    match = _VERSION.match(version)
    if match is None:
        raise ValueError(f"not an RPM version: {version!r}")
    return match


def _key(version: str) -> _Key:
    epoch, number, release = _match(version).groups()
    return _Key(int(epoch or 0), _parts(number), _parts(release) if release else [])


def _parts(text: str) -> list[_Part]:
    return [*map(_part, _PART.findall(text)), _END]


def _part(text: str) -> _Part:
    if text == "~":
        return (0, 0, "")
    if text == "^":
        return (2, 0, "")
    return (4, int(text), "") if text.isdigit() else (3, 0, text)
