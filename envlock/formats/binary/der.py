"""Elements of DER, the encoding of certificates and key stores (ITU-T X.690)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Element(NamedTuple):
    """A DER element: its tag, and the offsets of its content."""

    tag: int
    start: int
    end: int


def element(der: bytes, at: int) -> Element:
    """Return the element that begins at `at`.  Raise ValueError or IndexError if malformed."""
    tag, length, start = der[at], der[at + 1], at + 2
    if length >= 0x80:
        size = length & 0x7F
        if not 1 <= size <= 4:
            raise ValueError("not a definite length")
        length = int.from_bytes(der[start : start + size], "big")
        start += size
    if start + length > len(der):
        raise ValueError("truncated element")
    return Element(tag, start, start + length)


def children(der: bytes, parent: Element) -> Iterator[Element]:
    """Yield the elements in another one."""
    at = parent.start
    while at < parent.end:
        child = element(der, at)
        yield child
        at = child.end
