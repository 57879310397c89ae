"""Values of sections, mappings and objects that are called passwords, secrets or tokens.

In them each name stands for a user or service and says nothing: ``[passwords]``, ``bob = hunter2``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from envlock.secrets import literals, nested
from envlock.secrets.names import Grade, grade_name, is_about_a_secret
from envlock.secrets.reading import Reading, Syntax
from envlock.secrets.spans import Span
from envlock.secrets.strength import Strength, measure
from envlock.secrets.values import SETTING_RULE

_HINTS = (
    "passwords", "passwds", "secrets", "tokens", "credentials", "creds", "apikeys", "pypi-token",
)  # fmt: skip
_TITLE = rf"(?P<title>[\w.-]{{0,64}}?(?:{'|'.join(_HINTS)}))"
_SECTION = re.compile(
    rf"^[ \t]{{0,16}}\[\[?[ \t]{{0,8}}\"?{_TITLE}\"?[ \t]{{0,8}}\]", re.MULTILINE | re.IGNORECASE
)
_MAPPING = re.compile(
    rf"^[ \t]{{0,64}}[\"']?{_TITLE}[\"']?[ \t]{{0,8}}:[ \t]{{0,16}}\r?$",
    re.MULTILINE | re.IGNORECASE,
)
_OBJECT = re.compile(rf"[\"']{_TITLE}[\"'][ \t]{{0,16}}:\s{{0,64}}\{{", re.IGNORECASE)
_PAIR = re.compile(
    r"[ \t]{0,64}[\"']?(?P<name>[\w.@/-]{1,128}+(?: [\w.@/-]{1,64}+){0,4}+)[\"']?"
    r"[ \t]{0,64}[=:](?:[ \t]{1,64}|(?=\S))"
)
_MEMBER = re.compile(r"[\"'](?P<name>[^\"'\n]{1,128})[\"']\s{0,64}:\s{0,64}(?=[\"'])")
_WINDOW = 16_384
_HINTS = (
    "passwords",
    "passwds",
    "secrets",
    "tokens",
    "credentials",
    "creds",
    "apikeys",
    "pypi-token",
)


def section_spans(text: str, reading: Reading) -> Iterator[Span]:
    """Yield the values in sections that hold secrets by the names of their owners."""
    lowered = text.lower()
    if reading.syntax in (Syntax.CODE, Syntax.PROSE, Syntax.SHELL):
        return
    if not any(hint in lowered for hint in _HINTS):
        return
    for found in _SECTION.finditer(text):
        yield from _lines_of_section(text, found.end())
    for found in _MAPPING.finditer(text):
        yield from _lines_of_mapping(text, found.start(), found.end())
    for found in _OBJECT.finditer(text):
        end = text.find("}", found.end(), found.end() + _WINDOW)
        for member in _MEMBER.finditer(text, found.end(), end if end >= 0 else found.end()):
            yield from _span_of(text, member, literals.end_of_line(text, member.end()))


def _lines_of_section(text: str, at: int) -> Iterator[Span]:
    for start, end in nested.lines_from(text, literals.end_of_line(text, at) + 1):
        if text[start:end].lstrip().startswith("["):
            return
        if pair := _PAIR.match(text, start, end):
            yield from _span_of(text, pair, end)


def _lines_of_mapping(text: str, start: int, at: int) -> Iterator[Span]:
    indent = nested.indent_at(text, start)
    for line, end in nested.lines_from(text, literals.end_of_line(text, at) + 1):
        if text[line:end].strip() and nested.indent_at(text, line) <= indent:
            return
        if pair := _PAIR.match(text, line, end):
            yield from _span_of(text, pair, end)


def _span_of(text: str, pair: re.Match[str], end: int) -> Iterator[Span]:
    """Yield the value of a pair that is no word, unless its name tells something about secrets."""
    name = pair["name"].strip()
    literal = literals.quoted_at(text, pair.end())
    start, stop = pair.end(), literals.end_of_rest(text, pair.end(), is_pair=False)
    if literal and literal.after <= end:
        start, stop = literal.start, literal.end
    value = text[start:stop]
    if is_about_a_secret(name) or grade_name(name) > Grade.HINT:
        return
    if (
        measure(value) >= Strength.MIXED
        and any(map(str.isdigit, value))
        and any(map(str.isalpha, value))
    ):
        yield Span(start, stop, SETTING_RULE, name)
