r"""Conversion of paths and names, which may hold any bytes, to text and back.

Inside envlock a path is a `str` decoded with *surrogateescape*, as in Python's own file functions.
In files that envlock writes it is *escaped*: a backslash becomes ``\\``, and a byte that is not
UTF-8 or a control character (newline and tab among them) becomes ``\xNN``.  Escaping is reversible
for every byte string.
"""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[^\x00-\x1f\x7f\\\udc80-\udcff]*\Z")
_SPECIAL = re.compile(r"[\x00-\x1f\x7f\\\udc80-\udcff]")
_ESCAPED = re.compile(r"\\(?:x([0-9a-f]{2})|(\\))")


def escape(text: str) -> str:
    """Return `text` as clean UTF-8 on one line; the inverse of `unescape`."""
    if _PLAIN.match(text):
        return text
    return _SPECIAL.sub(_escape_one, text)


def unescape(text: str) -> str:
    """Return the surrogateescape text that `escape` was given.  Raise ValueError if malformed."""
    if "\\" not in text:
        return text
    if _ESCAPED.sub("", text).count("\\"):
        raise ValueError(f"malformed escape in {text!r}")
    return _ESCAPED.sub(_unescape_one, text)


def to_bytes(text: str) -> bytes:
    """Return the file-system bytes of surrogateescape text."""
    return text.encode("utf-8", "surrogateescape")


def from_bytes(raw: bytes) -> str:
    """Return surrogateescape text for file-system bytes."""
    return raw.decode("utf-8", "surrogateescape")


def sort_key(text: str) -> bytes:
    """Return the sort key for byte order, the only order that envlock writes."""
    return text.encode("utf-8", "surrogateescape")


def _escape_one(match: re.Match[str]) -> str:
    char = match.group()
    if char == "\\":
        return "\\\\"
    code = ord(char)
    return f"\\x{code - 0xDC00 if code > 0xFF else code:02x}"


def _unescape_one(match: re.Match[str]) -> str:
    if match.group(2):
        return "\\"
    code = int(match.group(1), 16)
    return chr(code) if code < 0x80 else chr(0xDC00 + code)
