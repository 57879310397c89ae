"""The order of dotted numbers: kernels, drivers, C libraries (``6.1.0-21-amd64``, ``580.95.05``).

No specification covers them all, so only clear cases are ordered: first by the leading dotted
numbers, then by the numbers in the rest if both rests are otherwise equal.
"""

from __future__ import annotations

import re

_LEADING = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_NUMBER = re.compile(r"[0-9]+")


def compare(left: str, right: str) -> int:
    """Return -1, 0 or 1 as `left` is older than, the same as, or newer than `right`.

    Raise ValueError if the order of the two is not clear.
    """
    a, a_rest = _split(left)
    b, b_rest = _split(right)
    width = max(len(a), len(b))
    a += (0,) * (width - len(a))
    b += (0,) * (width - len(b))
    if a == b:
        if _NUMBER.sub("0", a_rest) != _NUMBER.sub("0", b_rest):
            raise ValueError(f"no order between {left!r} and {right!r}")
        a, b = _numbers(a_rest), _numbers(b_rest)
    return (a > b) - (a < b)


def leading(version: str) -> tuple[int, ...]:
    """Return the leading dotted numbers.  Raise ValueError if there are none."""
    return _split(version)[0]


def _split(version: str) -> tuple[tuple[int, ...], str]:
    match = _LEADING.match(version)
    if match is None:
        raise ValueError(f"not a version that begins with a number: {version!r}")
    return _numbers(match[0]), version[match.end() :]


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in _NUMBER.findall(text))
