"""How similar two versions are: whether they differ in the major, the minor or a later number.

A version of any ecosystem is read as an epoch (``1:``, ``1!``) and dotted numbers.  A revision of a
distribution and a pre-release count less than the patch number.
"""

from __future__ import annotations

import re
from enum import StrEnum

_EPOCH = re.compile(r"([0-9]+)[:!]")
_LEADING = re.compile(r"v?([0-9]+(?:\.[0-9]+)*)")


class Likeness(StrEnum):
    """How similar two versions must be, the strictest first."""

    EXACT = "exact"
    PATCH = "patch"
    """Same major and minor number."""
    MINOR = "minor"
    """Same major number."""
    MIN = "min"
    """The second environment has the same version as the first one or a newer one."""
    PRESENT = "present"
    """Both have it, in any version."""


_ALIKE = {Likeness.PATCH: 2, Likeness.MINOR: 1}


def is_alike(likeness: Likeness, left: str, right: str) -> bool:
    """True when two versions are as similar as EXACT, PATCH or MINOR requires.

    Raise ValueError for a version that does not begin with a number.
    """
    if likeness is Likeness.EXACT or left == right:
        return left == right
    parts = _ALIKE[likeness]
    return _numbers(left)[: parts + 1] == _numbers(right)[: parts + 1]


def _numbers(version: str) -> tuple[int, ...]:
    """Return the epoch and at least three numbers of a version."""
    epoch = _EPOCH.match(version)
    match = _LEADING.match(version, epoch.end() if epoch else 0)
    if match is None:
        raise ValueError(f"not a version that begins with a number: {version!r}")
    numbers = tuple(map(int, match[1].split(".")))
    return (int(epoch[1]) if epoch else 0, *numbers, *(0,) * (3 - len(numbers)))
