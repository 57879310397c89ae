"""Text that is safe to print: control characters are shown, so that a terminal obeys none."""

from __future__ import annotations

import unicodedata


def visible(text: str, *, ascii_only: bool = False) -> str:
    r"""Return `text` on one line, with control and invisible characters and bad bytes escaped.

    A terminal acts on escape sequences, and marks that reverse the direction of text mislead the
    reader: they become ``\x1b`` or ``\u202e``.  ``##[`` is escaped too, because the job logs of
    GitHub and Azure treat it as a command anywhere in a line.
    """
    if not (text.isascii() and text.isprintable()):
        text = "".join(
            char if char.isprintable() and not (ascii_only and ord(char) > 0x7E) else _escape(char)
            for char in text
        )
    return text.replace("##[", "#\\x23[") if "##[" in text else text


def cells(text: str) -> int:
    """Return how many columns of a terminal `text` occupies."""
    if text.isascii():
        return len(text)
    return sum(_cells(char) for char in text)


def shorten(text: str, limit: int, *, mark: str) -> str:
    """Return `text` in at most `limit` columns; `mark` replaces the end that is cut off."""
    if cells(text) <= limit:
        return text
    room = limit - cells(mark)
    kept = 0
    for position, char in enumerate(text):
        kept += _cells(char)
        if kept > room:
            return text[:position] + mark
    return text


def _cells(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _escape(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
