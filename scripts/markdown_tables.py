"""Tables, code and paragraphs in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """Yield the lines of a table."""
    names = list(head)
    yield f"| {' | '.join(names)} |"
    yield f"|{'---|' * len(names)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def code(items: Iterable[str], separator: str = " ") -> str:
    """Return items as code, parted by `separator`."""
    return separator.join(f"`{item}`" for item in items)


def paragraph(docstring: str | None) -> str:
    """Return the first paragraph of a docstring on one line, in Markdown."""
    first = (docstring or "").strip().split("\n\n")[0]
    return re.sub(r"``?([^`]+)``?", r"`\1`", " ".join(first.split()))
