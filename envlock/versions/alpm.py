"""The order of Arch versions, as in vercmp(8) and libalpm: ``[epoch:]version[-release]``.

It resembles the order of RPM, but a word after a number makes the version older, and the number of
separators before a part counts.
"""

from __future__ import annotations

import re
from itertools import zip_longest

_VERSION = re.compile(r"(?:([0-9]*):)?([A-Za-z0-9._+@]+)(?:-([0-9.]+))?\Z", re.ASCII)
_PART = re.compile(r"([^A-Za-z0-9]*)([0-9]+|[A-Za-z]+|\Z)", re.ASCII)


def compare(left: str, right: str) -> int:
    """Return -1, 0 or 1 as `left` is older than, the same as, or newer than `right`.

    The releases are compared only when both have one.  Raise ValueError for a string that is not an
    Arch version.
    """
    (epoch, version, release), (other_epoch, other_version, other_release) = map(
        _split, (left, right)
    )
    sign = (epoch > other_epoch) - (epoch < other_epoch) or _compare(version, other_version)
    if sign or not (release and other_release):
        return sign
    return _compare(release, other_release)


def upstream(version: str) -> str:
    """Return a version without epoch and release.  Raise ValueError as `compare`."""
    return _split(version)[1]


def _split(version: str) -> tuple[int, str, str]:
    match = _VERSION.match(version)
    if match is None:
        raise ValueError(f"not an Arch version: {version!r}")
    return int(match[1] or 0), match[2], match[3] or ""


def _compare(left: str, right: str) -> int:
    for (gap, ours), (other_gap, theirs) in zip_longest(
        _PART.findall(left), _PART.findall(right), fillvalue=("", "")
    ):
        if not (ours and theirs):
            return _compare_ends((gap, ours), (other_gap, theirs))
        if len(gap) != len(other_gap):
            return -1 if len(gap) < len(other_gap) else 1
        a, b = _weight(ours), _weight(theirs)
        if a != b:
            return 1 if a > b else -1
    return 0


def _compare_ends(left: tuple[str, str], right: tuple[str, str]) -> int:
    """Compare two versions at a point where at least one of them has no further part.

    The longer one is newer, unless it continues with a word: directly after the end of the other
    one, or after separators that both have.
    """
    (gap, ours), (other_gap, theirs) = left, right
    if any(left) != any(right):
        ours, theirs = gap or ours, other_gap or theirs
    if ours:
        return -1 if ours.isalpha() else 1
    if theirs:
        return 1 if theirs.isalpha() else -1
    return 0


def _weight(part: str) -> tuple[int, str]:
    """Return the sort key of a part: a number is newer than any word."""
    return (int(part), "") if part.isdigit() else (-1, part)
