"""Look for secrets in what is packed: archives, compressed files, databases and other binary data.

Nothing can be replaced in them, so one with a secret is left out as a whole.  What packages ship
and archives of software (jars, wheels) are not opened: what they hold is published.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from itertools import islice

from envlock.formats.binary.sqlite import every_table
from envlock.secrets.data import data_rule
from envlock.secrets.files import FileKind, judge_file
from envlock.secrets.names import Grade, grade_name
from envlock.secrets.reading import is_shipped
from envlock.secrets.shapes import find_shape
from envlock.secrets.strength import Strength, measure
from envlock.secrets.values import SETTING_RULE
from envlock.targets.stream.packed import NotSearchedError, opened, peek

LARGEST = 16 << 20
"""Largest packed file in bytes that is opened."""
MOST_JUDGED = 32 << 20
"""Most unpacked bytes of one file that are judged."""
DEEPEST = 3
"""How deep archives are opened in archives."""
_PIECE = 1 << 20
_SQLITE = b"SQLite format 3\0"
_MOST_ROWS = 2000
_COLUMN = re.compile(r"(?:\A|,)\s{0,64}[\"'`\[]?(\w{1,128})[^,]{0,1024}")
_SOFTWARE = (
    ".jar", ".war", ".ear", ".hpi", ".jpi", ".whl", ".egg", ".pyz", ".apk", ".aar", ".nupkg",
    ".xpi", ".crx", ".vsix", ".conda", ".gem", ".crate",
)  # fmt: skip


def packed_rule(path: str, size: int, chunks: Iterable[bytes]) -> str:
    """Return the rule by which something that is packed in a file is secret, or an empty text.

    `size` is that of the file at `path` in bytes, `chunks` its content.  A file that is damaged,
    larger than the bounds or shipped by a package is taken to hold none.  Of data in the binary
    form of a program only the first MiB is looked at.
    """
    if size > LARGEST or is_shipped(path) or path.lower().endswith(_SOFTWARE):
        return ""
    try:
        return next(_rules(path, chunks, _Budget(), 0), "")
    except (NotSearchedError, OSError, ValueError, IndexError, struct.error, RecursionError):
        return ""


class _Budget:
    """How many more bytes are judged."""

    left = MOST_JUDGED


def _rules(path: str, chunks: Iterable[bytes], budget: _Budget, level: int) -> Iterator[str]:
    head, content = peek(chunks)
    if head.startswith(_SQLITE):
        yield from _rules_of_database(b"".join(content))
        return
    parts = opened(path, head, content) if level < DEEPEST else None
    if parts is not None:
        for part in parts:
            inner = part.entry.path if part.entry else f"{path.rpartition('/')[0]}/{part.name}"
            if not is_shipped(inner):
                yield from _rules(inner, part.chunks, budget, level + 1)
    elif not level:
        if rule := data_rule(b"".join(islice(content, 1))[:_PIECE]):
            yield rule
    else:
        for piece in _pieces(content, budget):
            judged = judge_file(path, mode=0o644, content=piece, size=len(piece))
            if judged.kind is not FileKind.PUBLIC:
                yield judged.rule


def _pieces(chunks: Iterator[bytes], budget: _Budget) -> Iterator[bytes]:
    held = b""
    for chunk in chunks:
        held += chunk
        budget.left -= len(chunk)
        if budget.left < 0:
            return
        if len(held) >= _PIECE:
            yield held
            held = b""
    if held:
        yield held


def _rules_of_database(content: bytes) -> Iterator[str]:
    """Yield the rules by which cells of a database are secret, by their column or shape."""
    for statement, rows in every_table(content):
        columns = _COLUMN.findall(statement.partition("(")[2])
        for row in islice(rows, _MOST_ROWS):
            values = dict(enumerate(row.values))
            for at, column in enumerate(columns[: len(values)]):
                if rule := _rule_of_cell(column, values[at], values.get(at - 1)):
                    yield rule


def _rule_of_cell(column: str, value: object, before: object) -> str:
    """Return the rule by which a cell is secret, given its column and the cell before it."""
    if not isinstance(value, str):
        return ""
    named = before if isinstance(before, str) and len(before) <= 64 else ""
    is_named = max(grade_name(column), grade_name(named)) >= Grade.SECRET
    if is_named and measure(value) >= Strength.MIXED and any(map(str.isdigit, value)):
        return SETTING_RULE
    return find_shape(value)
