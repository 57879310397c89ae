"""Find command lines in text, and the secrets in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from envlock.secrets import literals
from envlock.secrets.commands import COMMAND_RULE, command_parts
from envlock.secrets.programs import PROGRAMS
from envlock.secrets.spans import Span


class Word(NamedTuple):
    """A word of a command line without its quotes, and where it starts in the text."""

    text: str
    start: int


_SEPARATORS = str.maketrans(dict.fromkeys("/\"',[](){}<>`;|&=", " "))
_WORD = re.compile(
    r"[|;&]{1,2}|(?:[^\s\"'\\|;&]|\\.|\"(?:[^\"\\\n]|\\.){0,65536}+\"?|'[^'\n]{0,65536}+'?){1,65536}+"
)
_QUOTED = re.compile(r"(?P<quote>[\"'])(?P<words>(?:(?!(?P=quote))[^\\\n]|\\.){1,65536}+)")
_SPACE = re.compile(r"\s")
_NEXT_ITEM = re.compile(
    r"[\"']?[ \t]{0,16},\s{0,256}+(?=[\"'])|[\"']?[ \t]{0,16}\r?\n[ \t]{0,64}-[ \t]{1,16}"
)
_FIRST_ITEM = re.compile(
    r"(?:[\[(]\s{0,32}(?:[\"'][\w./ -]{1,24}[\"']\s{0,32},\s{0,32}){0,3}[\"']"
    r"|-[ \t]{1,16}[\"']?)[\w./]{0,64}\Z"
)
"""What precedes a program in a list: its beginning and at most three items (`sudo`, `env`)."""
_PLAIN = re.compile(r"[^\r\n]{0,1024}+")
_BEHIND = ("", " ", "\t", '"', "'", ",", "\n", "\r", ".")
_BEFORE = frozenset(" \t\n\"'/`(;|&={@-")
_MOST_WORDS = 256
_MOST_LINES = 16
_DEEPEST = 3


def command_spans(text: str) -> Iterator[Span]:
    """Yield the secret arguments of known programs in a script, unit, crontab or list."""
    programs = PROGRAMS.keys() & set(text.translate(_SEPARATORS).split())
    lines = set()
    for program in programs:
        at = text.find(program)
        while at >= 0:
            end = at + len(program)
            if text[end : end + 1] in _BEHIND and (not at or text[at - 1] in _BEFORE):
                lines.add(text.rfind("\n", 0, at) + 1)
                if _NEXT_ITEM.match(text, end) and _FIRST_ITEM.search(text[max(0, at - 128) : at]):
                    yield from _spans_of(list(_items(text, at, end)))
            at = text.find(program, end)
    for start in sorted(lines):
        yield from _line_spans(text, start, _end_of_command(text, start))


def _end_of_command(text: str, start: int) -> int:
    """Return where the line that starts at `start` ends, with the lines that continue it."""
    end = literals.end_of_line(text, start)
    for _ in range(_MOST_LINES):
        if not text[start:end].rstrip("\r").endswith("\\") or end >= len(text):
            break
        start, end = end, literals.end_of_line(text, end + 1)
    return end


def _line_spans(text: str, start: int, end: int, depth: int = 0) -> Iterator[Span]:
    words = []
    for found in _WORD.finditer(text, start, end):
        words.append(_unquoted(found[0], found.start()))
        if depth < _DEEPEST and _SPACE.search(found[0]):
            for quoted in _QUOTED.finditer(text, *found.span()):  # as of `sh -c`
                yield from _line_spans(text, *quoted.span("words"), depth + 1)
    yield from _spans_of(words)


def _unquoted(word: str, start: int) -> Word:
    if len(word) > 1 and word[0] in "\"'" and word[-1] == word[0]:
        return Word(word[1:-1], start + 1)
    return Word(word, start)


def _items(text: str, start: int, end: int) -> Iterator[Word]:
    """Yield the program from `start` to `end` and the items that follow it in a list."""
    yield Word(text[start:end], start)
    for _ in range(_MOST_WORDS):
        found = _NEXT_ITEM.match(text, end)
        if not found:
            return
        literal = literals.quoted_at(text, found.end())
        begin, last = found.end(), literals.end_of_line(text, found.end())
        if literal:
            begin, last = literal.start, literal.end
        end = last
        yield Word(text[begin:last].rstrip("\r"), begin)


def _spans_of(words: list[Word]) -> Iterator[Span]:
    for part in command_parts([word.text for word in words]):
        text, start = words[part.place]
        value = text[part.start : part.end].strip("\"'")
        at = start + text.find(value, part.start)
        yield Span(at, at + len(value), COMMAND_RULE)
