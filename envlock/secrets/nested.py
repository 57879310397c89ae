"""Values of several lines or parts: block scalars, heredocs, lists, and objects with a `value`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envlock.secrets import literals

Range = tuple[int, int]
"""Where a value starts and ends in the text."""

MOST_LINES = 1024
"""No value is followed further than so many lines."""

_WINDOW = 16_384
_VALUE_KEY = (
    r"(?i:(?:param|env|option|property|plain|clear|secret|string)?[-_]?(?:value|text)|default|"
    r"content|data|literal|raw|current)"
)
_MEMBER = re.compile(
    rf"(?<![\w.-])\\{{0,3}}[\"']?{_VALUE_KEY}\\{{0,3}}[\"']?[ \t]{{0,64}}+(?:=>|[:=])\s{{0,64}}+"
)
_ITEM = re.compile(
    r"\\{1,7}[\"'](?P<escaped>[^\"'\\\n]{0,1024})\\{1,7}[\"']"
    r"|(?P<quote>[\"'`])(?P<quoted>(?:(?!(?P=quote))[^\\\n]|\\.){0,1024}+)(?P=quote)"
    r"|(?P<plain>[^\s\"'`,\[\](){}]{1,1024}+)"
)
_BLOCK = re.compile(
    r"(?:![\w!/-]{1,64}[ \t]{1,16}|&\w{1,64}[ \t]{1,16}){0,2}[|>][-+\d]{0,2}[ \t]{0,64}"
    r"(?:#[^\n]{0,256})?\r?(?=\n)"
)
_HEREDOC = re.compile(r"<<[-~]?[ \t]{0,8}[\"']?(?P<word>\w{1,64})[\"']?[^\n]{0,64}\n")
_KEYED = re.compile(r"[\"']?[\w./-]{1,128}+[\"']?[ \t]{0,16}:(?:[ \t]|\r?\n|\Z)")
_GOES_ON = re.compile(r"[^\s,;:)\]}\"'`\\]")


def is_block(text: str, at: int) -> bool:
    """Return whether a YAML block scalar begins at `at`."""
    return _BLOCK.match(text, at) is not None


def heredoc_range(text: str, at: int) -> Range | None:
    """Return the content of the heredoc that begins at `at`."""
    found = _HEREDOC.match(text, at)
    if not found:
        return None
    at, word = found.end(), found["word"]
    for start, end in lines_from(text, at):
        if text[start:end].strip() == word:
            return at, max(at, start - 1)
    return None


def indented_ranges(text: str, start: int, at: int) -> Iterator[Range]:
    """Yield the values on the lines below a YAML key whose line starts at `start`.

    They are a block scalar that begins at `at`, a folded scalar, or the items of a list; of a
    mapping, its members called `value` and the like.
    """
    indent = indent_at(text, start)
    block = _BLOCK.match(text, at)
    first, last = -1, -1
    for line, end in lines_from(text, literals.end_of_line(text, at) + 1):
        body = text[line:end].strip()
        deeper = indent_at(text, line)
        is_item = body.startswith("- ")
        if body and not (deeper > indent or (is_item and deeper == indent and not block)):
            break
        if block or (body and not is_item and not _KEYED.match(body)):
            first = line + deeper if first < 0 else first
            last = end if body else last
        elif is_item and not _KEYED.match(body, 2):
            yield line + deeper + 2, end
        elif found := _MEMBER.match(text, line + deeper, end):
            yield found.end(), end
    if 0 <= first < last:
        yield first, last


def end_of_brackets(text: str, at: int) -> int:
    """Return where the list or object that begins at `at` closes, or -1: what begins is a value."""
    closing = {"[": "]", "(": ")", "{": "}"}[text[at]]
    end = text.find(closing, at, at + _WINDOW)
    return end if end >= 0 and not _GOES_ON.match(text, end + 1) else -1


def bracket_ranges(text: str, at: int) -> Iterator[Range]:
    """Yield the items of the list at `at`, or the members called `value` of the object there."""
    end = end_of_brackets(text, at)
    if text[at] == "{":
        for found in _MEMBER.finditer(text, at, end):
            yield value_range(text, found.end())
        return
    for item in _ITEM.finditer(text, at + 1, end):
        yield item.span(item.lastgroup or 0)


def value_range(text: str, at: int) -> Range:
    """Return the value that begins at `at`: a quoted one, or one in the middle of a line."""
    literal = literals.quoted_at(text, at)
    return (literal.start, literal.end) if literal else (at, literals.end_of_inside(text, at))


def lines_from(text: str, at: int) -> Iterator[Range]:
    """Yield where each line from `at` on starts and ends, without its line feed."""
    for _ in range(MOST_LINES):
        if at >= len(text):
            return
        end = literals.end_of_line(text, at)
        yield at, end
        at = end + 1


def indent_at(text: str, at: int) -> int:
    """Return how many spaces and tabs stand at `at`."""
    start = at
    while at < len(text) and text[at] in " \t":
        at += 1
    return at - start
