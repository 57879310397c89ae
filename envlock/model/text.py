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
_NUMBER = re.compile(r"[0-9]{1,18}\Z")
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


def whole_number(text: str | None) -> int | None:
    """Return the number that ASCII digits state, None for any other text and for more than 18.

    >>> whole_number("042"), whole_number("-1"), whole_number("\u0664")
    (42, None, None)
    """
    return int(text) if text and _NUMBER.match(text) else None


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


def make_visible(text: str, *, ascii_only: bool = False, keep: str = "") -> str:
    r"""Return `text` with control, bidirectional and invisible characters and bad bytes escaped.

    A terminal acts on escape sequences, and marks that reverse the direction of text or have no
    width mislead the reader.  Characters in `keep` are left alone.

    >>> make_visible("safe\u202efdp \x1b[1m naïve")
    'safe\\u202efdp \\x1b[1m naïve'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char
        if char in keep or (char.isprintable() and not (ascii_only and ord(char) > 0x7E))
        else _code(char)
        for char in text
    )


def _code(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
