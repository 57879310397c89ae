"""Line-oriented settings: what of a text counts, and a digest that layout does not move."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from envlock.capture.redact import redact_text
from envlock.model.text import to_bytes

SETTINGS_LIMIT = 1024 * 1024
"""Largest file in bytes that is taken for settings; a larger one is a gap."""

_BLANKS = re.compile(r"[ \t\r\f\v]+")
_CONTINUED = re.compile(r"\\\n[ \t]*")


def parse_lines(text: str, comment: str = "#") -> list[str]:
    r"""Return the lines that say something: comments, blank lines and extra blanks taken out.

    A line that ends in a backslash goes on in the next one.

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


def digest_lines(lines: Iterable[str]) -> str:
    """Return the SHA-256 (hex) of lines in which every secret is replaced.

    The plain digest of a secret can be guessed, so it is taken without them.
    """
    shown = redact_text("".join(f"{line}\n" for line in lines))
    return hashlib.sha256(to_bytes(shown)).hexdigest()
