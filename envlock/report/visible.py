"""Text that is safe to print: a terminal shows what a machine holds, and obeys none of it."""

from __future__ import annotations

import unicodedata


def visible(text: str, *, ascii_only: bool = False) -> str:
    r"""Return `text` on one line, with control and invisible characters and bad bytes spelled out.

    A terminal acts on escape sequences, a reader is misled by marks that turn the direction of
    text: both are written as ``\x1b`` or ``\u202e``.  So is what the log of a job at GitHub or
    Azure would take for a command wherever it stands in a line, ``##[``.
    """
    if not (text.isascii() and text.isprintable()):
        text = "".join(
            char if char.isprintable() and not (ascii_only and ord(char) > 0x7E) else _spell(char)
            for char in text
        )
    return text.replace("##[", "#\\x23[") if "##[" in text else text


def cells(text: str) -> int:
    """Return how many columns of a terminal `text` takes."""
    if text.isascii():
        return len(text)
    return sum(_cells(char) for char in text)


def shorten(text: str, limit: int, *, mark: str) -> str:
    """Return `text` in at most `limit` columns, cut off with `mark`."""
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


def _spell(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
