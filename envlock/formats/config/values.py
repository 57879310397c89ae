"""The values that parsers of configuration return, and the limits that all of them keep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

Document = dict[str, object]
"""Name -> value: text, `NonString`, a list of values, or a nested document."""

MAX_DEPTH = 40
"""Deepest nesting of blocks; no real configuration is nested deeper."""

MAX_VALUES = 20_000
"""Largest number of values in one document."""


@dataclass(frozen=True, slots=True)
class NonString:
    """The text of a value that is not a string: ``1``, ``true``."""

    text: str


def add_value(document: Document, name: str, value: str) -> None:
    """Set a value; values of a repeated name become a list, in file order."""
    present = document.get(name)
    if present is None:
        document[name] = value
    elif isinstance(present, list):
        present.append(value)
    elif isinstance(present, str):
        document[name] = [present, value]
    else:
        raise ValueError(f"{name} is both a value and a block")


def add_block(document: Document, name: str) -> Document:
    """Add an empty block and return it; a second one of the same name is called ``NAME#2``."""
    label, number = name, 1
    while label in document:
        number += 1
        label = f"{name}#{number}"
    found = document[label] = Document()
    return found


def lines_of(text: str) -> Iterator[str]:
    """Yield the lines without LF or CR LF; no other character ends a line."""
    for line in text.split("\n"):
        yield line.removesuffix("\r")


def setting_lines(text: str, marks: str = "#") -> Iterator[str]:
    """Yield the stripped lines that are neither empty nor a comment."""
    for line in lines_of(text):
        stripped = line.strip()
        if stripped and stripped[0] not in marks:
            yield stripped
