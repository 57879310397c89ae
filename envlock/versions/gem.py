"""The order of the versions of Ruby gems (RubyGems, ``Gem::Version``).

A version consists of runs of digits and of letters; letters make a pre-release and come before
digits.  Zeros at the end, and before the first letters, are ignored: ``1.0.rc1`` equals ``1.rc1``
and is older than ``1.0``, which equals ``1``.
"""

from __future__ import annotations

import re
from itertools import zip_longest

_VERSION = re.compile(r"[0-9]+(?:\.[0-9a-zA-Z]+)*(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?\Z")
_SEGMENT = re.compile(r"[0-9]+|[a-zA-Z]+")
_Segment = tuple[bool, int, str]
_ZERO: _Segment = (True, 0, "")


def compare(left: str, right: str) -> int:
    """Return -1, 0 or 1 as `left` is older than, the same as, or newer than `right`.

    Raise ValueError for a string that is not a gem version.
    """
    for a, b in zip_longest(_segments(left), _segments(right), fillvalue=_ZERO):
        if a != b:
            return 1 if a > b else -1
    return 0


def _segments(version: str) -> list[_Segment]:
    if not _VERSION.match(version):
        raise ValueError(f"not a gem version: {version!r}")
    # A dash begins a pre-release.
    found = _SEGMENT.findall(version.replace("-", ".pre."))
    parts = [(True, int(part), "") if part.isdigit() else (False, 0, part) for part in found]
    words = [at for at, (is_number, _, _) in enumerate(parts) if not is_number]
    first = words[0] if words else len(parts)
    return _without_zeros(parts[:first]) + _without_zeros(parts[first:])


def _without_zeros(parts: list[_Segment]) -> list[_Segment]:
    while parts and parts[-1] == _ZERO:
        parts.pop()
    return parts
