"""How far two versions are apart: in the major, the minor or a later number.

Numbers mean the same in every ecosystem: an epoch (``1:``, ``1!``), then dotted numbers.  A
distribution's revision and a pre-release are below the patch number.
"""

from __future__ import annotations

import re
from enum import StrEnum

_EPOCH = re.compile(r"([0-9]+)[:!]")
_LEADING = re.compile(r"v?([0-9]+(?:\.[0-9]+)*)")


class Likeness(StrEnum):
    """How alike two versions must be to satisfy, the strictest first."""

    EXACT = "exact"
    PATCH = "patch"
    """They may differ after major and minor."""
    MINOR = "minor"
    """They may differ after major."""
    MIN = "min"
    """The second environment has at least what the first one has."""
    PRESENT = "present"
    """Both have it, in whatever version."""


_ALIKE = {Likeness.PATCH: 2, Likeness.MINOR: 1}


def is_alike(likeness: Likeness, left: str, right: str) -> bool:
    """True when two versions are as alike as EXACT, PATCH or MINOR wants.

    Raise ValueError for a version that has no number in front.
    """
    if likeness is Likeness.EXACT or left == right:
        return left == right
    parts = _ALIKE[likeness]
    return _numbers(left)[: parts + 1] == _numbers(right)[: parts + 1]


def _numbers(version: str) -> tuple[int, ...]:
    """Return the epoch and at least three numbers."""
    epoch = _EPOCH.match(version)
    match = _LEADING.match(version, epoch.end() if epoch else 0)
    if match is None:
        raise ValueError(f"no number in front: {version!r}")
    numbers = tuple(map(int, match[1].split(".")))
    return (int(epoch[1]) if epoch else 0, *numbers, *(0,) * (3 - len(numbers)))
