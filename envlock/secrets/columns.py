"""Secrets in columns: rows of CSV files, and the values that SQL inserts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envlock.secrets import literals
from envlock.secrets.names import Grade, grade_name
from envlock.secrets.spans import Span
from envlock.secrets.strength import Strength, measure
from envlock.secrets.values import SETTING_RULE

_INSERT = re.compile(
    r"(?:insert|replace)\s{1,8}into\s{1,8}[\w.`\"\[\]]{1,128}\s{0,8}\((?P<names>[^()]{1,2048})\)"
    r"\s{0,8}values\s{0,8}",
    re.IGNORECASE,
)
_ROW = re.compile(r"\((?P<values>(?:[^()'\n]|'(?:[^'\\\n]|\\.|''){0,4096}+'){1,8192}+)\)[,\s]{0,8}")
_CELL = re.compile(
    r"(?:\"(?P<text>[^\"\n]*+)\"|(?P<bare>[^,;\t\n\r\"]*+))(?P<end>[,;\t]|\r?(?:\n|\Z))"
)
_MOST_ROWS = 10_000


def column_spans(path: str, text: str) -> Iterator[Span]:
    """Yield the secret cells of a table, by the names of their columns."""
    if path.endswith((".csv", ".tsv")):
        yield from _csv_spans(text)
    if ("nto " in text or "NTO " in text) and ("alues" in text or "ALUES" in text):
        for found in _INSERT.finditer(text):
            secret = _secret_columns(found["names"].split(","))
            yield from _insert_spans(text, found.end(), secret) if secret else ()


def _secret_columns(names: list[str]) -> dict[int, str]:
    cleaned = [name.strip(" \t\r\n\"'`[]") for name in names]
    return {at: name for at, name in enumerate(cleaned) if grade_name(name) >= Grade.SECRET}


def _insert_spans(text: str, at: int, secret: dict[int, str]) -> Iterator[Span]:
    for _ in range(_MOST_ROWS):
        row = _ROW.match(text, at)
        if not row:
            return
        for column, (start, end) in enumerate(_literals(text, *row.span("values"))):
            if column in secret and measure(text[start:end]) > Strength.NONE:
                yield Span(start, end, SETTING_RULE, secret[column])
        at = row.end()


def _literals(text: str, at: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield where the literal of each value of a row stands; nothing of any other value."""
    while at < end:
        while at < end and text[at].isspace():
            at += 1
        literal = literals.quoted_at(text, at)
        start, stop = (literal.start, literal.end) if literal and literal.after <= end else (at, at)
        yield start, stop
        comma = text.find(",", literal.after if literal else at, end)
        at = comma + 1 if comma >= 0 else end


def _csv_spans(text: str) -> Iterator[Span]:
    end = literals.end_of_line(text, 0)
    secret = _secret_columns([cell[0].strip('",;\t') for cell in _CELL.finditer(text, 0, end)])
    at, column = end + 1, 0
    while secret and at < len(text):
        cell = _CELL.match(text, at)
        if not cell:
            return
        group = "bare" if cell["text"] is None else "text"
        if column in secret and measure(cell[group]) > Strength.NONE:
            yield Span(*cell.span(group), SETTING_RULE, secret[column])
        column = column + 1 if cell["end"] in (",", ";", "\t") else 0
        at = max(cell.end(), at + 1)
