"""Line-oriented settings: normalized lines without comments."""

from __future__ import annotations

import re
from collections.abc import Iterable

SETTINGS_LIMIT = 1024 * 1024
"""Largest file of settings in bytes that is read; a larger one is a gap."""

_BLANKS = re.compile(r"[ \t\r\f\v]+")
_CONTINUED = re.compile(r"\\\n[ \t]*")


def parse_lines(text: str, comment: str = "#") -> list[str]:
    r"""Return the lines without comments, blank lines and repeated blanks.

    A line that ends in a backslash is continued by the next one.

    >>> parse_lines("# a\n  b \\\n   c # d\n\n")
    ['b c']
    """
    joined = _CONTINUED.sub(" ", text).split("\n")
    lines = (_BLANKS.sub(" ", line.partition(comment)[0]).strip() for line in joined)
    return [line for line in lines if line]


def parse_pairs(lines: Iterable[str]) -> dict[str, str]:
    """Return the first word of each line -> the rest; the last of a name wins (login.defs(5))."""
    pairs = (line.partition(" ") for line in lines)
    return {name: value.strip() for name, _, value in pairs if value.strip()}
