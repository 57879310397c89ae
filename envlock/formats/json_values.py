"""Access to values in untrusted JSON, whatever its structure, depth or text.

Sources: RFC 8259.
"""

from __future__ import annotations

from collections.abc import Iterator

from envlock.model.document import parse_json


def json_or_none(text: str) -> object:
    """Return the document, or None when the text is not JSON or nested too deeply."""
    try:
        document: object = parse_json(text)
    except ValueError:
        return None
    return document


def at(document: object, *path: str) -> object:
    """Return the value at a path of object members, or None when there is none."""
    for name in path:
        if not isinstance(document, dict):
            return None
        document = document.get(name)
    return document


def text_at(document: object, *path: str) -> str:
    """Return the string at a path; empty for any other value, and for invalid Unicode."""
    value = at(document, *path)
    return value if isinstance(value, str) and is_text(value) else ""


def members(document: object, *path: str) -> Iterator[tuple[str, object]]:
    """Yield the members of the object at a path, in order; none for any other value."""
    value = at(document, *path)
    if isinstance(value, dict):
        yield from ((name, member) for name, member in value.items() if is_text(name))


def items(document: object, *path: str) -> Iterator[object]:
    """Yield the items of the array at a path; none for any other value."""
    value = at(document, *path)
    if isinstance(value, list):
        yield from value


def is_text(value: str) -> bool:
    """False for strings that JSON can contain but UTF-8 cannot: lone surrogates."""
    try:
        value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True
