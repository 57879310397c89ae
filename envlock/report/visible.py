"""Text that is safe to print: control characters are shown, so that a terminal obeys none."""

from __future__ import annotations

import unicodedata

from envlock.model.text import make_visible


def visible(text: str, *, ascii_only: bool = False) -> str:
    r"""Return `text` on one line, with control and invisible characters and bad bytes escaped.

    ``##[`` is escaped too, because the job logs of GitHub and Azure treat it as a command anywhere
    in a line.
    """
    text = make_visible(text, ascii_only=ascii_only)
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


def shorten_pair(left: str, right: str, limit: int, *, mark: str) -> tuple[str, str]:
    """Return both texts in at most `limit` columns, cut around the place where they differ.

    Two texts that are not the same are never cut to the same text.
    """
    if left.strip() == right.strip():  # only spaces differ, which nobody sees at an end
        left, right = _with_spaces(left), _with_spaces(right)
    if max(cells(left), cells(right)) <= limit:
        return left, right
    short = shorten(left, limit, mark=mark), shorten(right, limit, mark=mark)
    pairs = enumerate(zip(left, right, strict=False))
    start = next((n for n, (a, b) in pairs if a != b), min(len(left), len(right)))
    if start < limit // 2 and short[0] != short[1]:
        return short
    start = _word_start(left, start, limit // 3)
    head = mark if start else ""
    room = limit - cells(head)
    cut = tuple(f"{head}{shorten(text[start:], room, mark=mark)}" for text in (left, right))
    return cut[0], cut[1]


def _with_spaces(text: str) -> str:
    inner = text.strip()
    start = len(text) - len(text.lstrip())
    before, after = text[:start], text[start + len(inner) :]
    return f"{_shown(before)}{inner}{_shown(after)}"


def _shown(spaces: str) -> str:
    return "".join(f"\\x{ord(char):02x}" for char in spaces)


def _word_start(text: str, position: int, most: int) -> int:
    """Return where the word that holds `position` starts, at most `most` characters before it."""
    for start in range(position, max(0, position - most), -1):
        if text[start - 1] in " \t,;":
            return start
    return max(0, position - most)


def _cells(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
