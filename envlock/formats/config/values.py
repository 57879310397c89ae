"""What every reader of a configuration format returns, and the bounds that all of them keep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

Document = dict[str, object]
"""Names -> values: text, `NonString`, lists of values, or documents again."""

MAX_DEPTH = 40
"""Blocks nested deeper than this are no configuration that anyone wrote."""

MAX_VALUES = 20_000
"""Most values in one document."""


@dataclass(frozen=True, slots=True)
class NonString:
    """A value that is no string where strings are quoted: ``1``, ``true``."""

    text: str


def add_value(document: Document, name: str, value: str) -> None:
    """Set a value; a name that is there already gets a list, in the order of the file."""
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
    """Add a block and return it; a second one of the same name is called ``NAME#2``."""
    label, number = name, 1
    while label in document:
        number += 1
        label = f"{name}#{number}"
    found = document[label] = Document()
    return found


def lines_of(text: str) -> Iterator[str]:
    """Yield lines without their end; only a newline ends one, CR LF is as good."""
    for line in text.split("\n"):
        yield line.removesuffix("\r")


def setting_lines(text: str, marks: str = "#") -> Iterator[str]:
    """Yield the lines that say something, stripped: no empty one, no comment of a whole line."""
    for line in lines_of(text):
        stripped = line.strip()
        if stripped and stripped[0] not in marks:
            yield stripped
