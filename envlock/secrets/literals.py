"""Where a value ends: quoted literals, words of the shell, and the rest of a line."""

from __future__ import annotations

import re
from typing import NamedTuple

LONGEST = 1_048_576
"""No value is followed further than so many characters."""
WRAPPED = 65_536
"""A quoted value that does not end on its line ends within so many characters, or is none."""


class Literal(NamedTuple):
    """A quoted value: where its content starts and ends, and where its closing quote ends."""

    start: int
    end: int
    after: int


_OPEN = re.compile(r"(?:[rbfuRBFULN]{1,2}|\$|@\$?)?(?P<quote>\"{3}|'{3}|\\{1,7}[\"'`]|[\"'`])")
_JOINED = re.compile(r"[ \t]{0,64}(?:[+.][ \t]{0,64}|\\\r?\n[ \t]{0,64})?(?=[\"'])")
_COMMENT = re.compile(r"(?<![ \t])[ \t]++(?:#|;|//|/\*|<!--|--)[ \t]")
_NEXT_PAIR = re.compile(r"(?<![ \t])[ \t]++[\w.-]{1,64}+=")
_SHELL_WORD = re.compile(
    r"(?:[^\s\"'\\;|&<>()]|\\.|\"(?:[^\"\\]|\\.){0,65536}+\"|'[^']{0,65536}+'){1,65536}+", re.DOTALL
)
_INSIDE = re.compile(
    r"(?:[^\s\"'`;,&<>{}|\\)\]]|[)\]](?=\w)|\\[^\s\"'nrt]|[;,&](?![\s\"'\]})]|[\w.-]{1,40}[=:]|\Z)){1,65536}+"
)


def quoted_at(text: str, at: int) -> Literal | None:
    """Return the quoted literal that begins at `at`, or None: there is none, or it does not end.

    Literals that follow it joined (``"a" + "b"``, ``"a"'b'``) belong to it.
    """
    literal = _one_quoted(text, at)
    for _ in range(8):
        joined = literal and _JOINED.match(text, literal.after)
        more = _one_quoted(text, joined.end()) if joined else None
        if literal is None or more is None:
            break
        literal = Literal(literal.start, more.end, more.after)
    return literal


def _one_quoted(text: str, at: int) -> Literal | None:
    opened = _OPEN.match(text, at)
    if not opened:
        return None
    quote = opened["quote"]
    start = opened.end()
    end = _find_quote(text, start, min(len(text), start + WRAPPED), quote)
    if end < 0:
        end = _find_quote(text, start, end_of_line(text, start), quote)
    return Literal(start, end, end + len(quote)) if end >= 0 else None


def _find_quote(text: str, start: int, end: int, quote: str) -> int:
    """Return where the next `quote` without a backslash before it is, or -1."""
    found = text.find(quote, start, end)
    while len(quote) == 1 and found > 0 and _is_escaped(text, start, found):
        found = text.find(quote, found + 1, end)
    return found


def _is_escaped(text: str, start: int, at: int) -> bool:
    slashes = 0
    while at - slashes > start and text[at - slashes - 1] == "\\":
        slashes += 1
    return slashes % 2 == 1


def end_of_rest(text: str, at: int, *, is_pair: bool) -> int:
    """Return where the value that begins at `at` and ends with its line ends.

    A comment after it is no part of it; with `is_pair` neither is another ``name=value``.
    """
    end = end_of_line(text, at)
    for pattern in (_COMMENT, _NEXT_PAIR) if is_pair else (_COMMENT,):
        cut = pattern.search(text, at, end)
        end = cut.start() if cut else end
    while end > at and (text[end - 1].isspace() or text[end - 1] in ";,"):
        end -= 1
    return end


def end_of_shell_word(text: str, at: int) -> int:
    """Return where the word of the shell that begins at `at` ends."""
    found = _SHELL_WORD.match(text, at)
    return found.end() if found else at


def end_of_inside(text: str, at: int) -> int:
    """Return where a value without quotes in the middle of a line ends."""
    found = _INSIDE.match(text, at)
    return found.end() if found else at


def end_of_quote(text: str, at: int, quote: str) -> int:
    """Return where a value ends that lasts until `quote`, or -1 where its line has none."""
    return _find_quote(text, at, end_of_line(text, at), quote)


def end_of_line(text: str, at: int) -> int:
    """Return where the line of `at` ends, or where `LONGEST` does."""
    limit = min(len(text), at + LONGEST)
    end = text.find("\n", at, limit)
    return limit if end < 0 else end
