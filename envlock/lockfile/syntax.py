r"""The canonical form of a lockfile: the subset of TOML shared by its writer and its reader.

In keys and values, bytes that are not UTF-8 and control characters are first escaped by
`envlock.model.text.escape`; then TOML's own rules for basic strings apply.  What a reviewer would
not see, such as marks that reverse the direction of text, is written as ``\uXXXX``.
"""

from __future__ import annotations

import re

from envlock.model.text import escape

HEADER = "# envlock lockfile. Written by `envlock capture`; change envlock.toml, not this file.\n"
VERSION_KEY = "lock-version"
COVERAGE = "coverage"

LOCK_MAJOR = 1

_LONGEST_NAME = 200

_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")
_SECTION = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\Z")


def is_section_name(text: str) -> bool:
    """True for the name of a section: words of letters, digits, ``-`` and ``_``, and dots."""
    return len(text) <= _LONGEST_NAME and _SECTION.match(text) is not None


def heading(section: str, key: str) -> str:
    """Return the text in brackets above a record.  Raise ValueError for an invalid section name."""
    if not is_section_name(section):
        raise ValueError(f"invalid section name {section!r}")
    return f"{section}.{quoted(key)}" if key else section


def assignment(fact: str) -> str:
    """Return the start of the line that holds `fact`, up to its value."""
    return f"{fact if _BARE.match(fact) else quoted(fact)} = "


def quoted(text: str) -> str:
    r"""Return `text` as a basic string of TOML.

    >>> quoted("naïve\u202e"), quoted('a"b')
    ('"naïve\\u202e"', '"a\\"b"')
    """
    inside = escape(text).replace("\\", "\\\\").replace('"', '\\"')
    if not inside.isprintable():
        inside = "".join(char if char.isprintable() else _code_point(char) for char in inside)
    return f'"{inside}"'


def _code_point(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
