"""JSON that others wrote: parsed without trusting its shape, its depth or its text.

Sources: RFC 8259.
"""

from __future__ import annotations

from collections.abc import Iterator

from envlock.model.document import parse_json


def json_or_none(text: str) -> object:
    """Return the document, or None when it is none that can be read: not JSON, or too deep."""
    try:
        document: object = parse_json(text)
    except ValueError:
        return None
    return document


def at(document: object, *path: str) -> object:
    """Return what stands at a path of object members, None when the path leads nowhere."""
    for name in path:
        if not isinstance(document, dict):
            return None
        document = document.get(name)
    return document


def text_at(document: object, *path: str) -> str:
    """Return the text at a path; empty for anything else, and for text no file can hold."""
    value = at(document, *path)
    return value if isinstance(value, str) and is_text(value) else ""


def members(document: object, *path: str) -> Iterator[tuple[str, object]]:
    """Yield the members of the object at a path in the order they stand; nothing for any other."""
    value = at(document, *path)
    if isinstance(value, dict):
        yield from ((name, member) for name, member in value.items() if is_text(name))


def items(document: object, *path: str) -> Iterator[object]:
    """Yield the items of the array at a path; nothing for anything else."""
    value = at(document, *path)
    if isinstance(value, list):
        yield from value


def is_text(value: str) -> bool:
    """False for what JSON can say and UTF-8 cannot: half of a surrogate pair."""
    try:
        value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True
