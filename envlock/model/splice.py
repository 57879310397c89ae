"""Change a few rows of a tree object without reading the others."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from envlock.model.text import sort_key, unescape
from envlock.model.tree import SIGNIFICANT, TREE_HEADER, EntryType, Row, written_row

_SHA256, _CLASS, _SOURCE = 7, 11, 13
"""Fields of a line."""
_SIGNIFICANT = frozenset(kind.value.encode() for kind in SIGNIFICANT)
_BLOB = re.compile(rb"\tblob ([0-9a-f]{64})$", re.MULTILINE)


class Spliced(NamedTuple):
    """A tree object with other rows: its bytes, whether what is compared may be otherwise now, and
    the digests of content that the rows now gone had.
    """  # noqa: D205

    object: bytes
    is_otherwise: bool
    gone: frozenset[str]


def splice(raw: bytes, gone: Iterable[str], rows: Iterable[Row]) -> Spliced:
    """Return a tree object without the paths `gone`, and with `rows` in the place of older ones."""
    lines = {row.entry.path: written_row(row) for row in rows}
    pieces: list[bytes] = []
    dropped: set[str] = set()
    is_otherwise = False
    done, end = 0, len(TREE_HEADER) + 1
    for path in sorted({*gone, *lines}, key=sort_key):
        start, end = _find(raw, sort_key(path), end)
        old = raw[start:end]
        line, compared = lines.get(path, ("", ""))
        new = f"{line}\n".encode() if line else b""
        if old == new:
            continue
        if old:
            fields = old[:-1].split(b"\t")
            is_otherwise = is_otherwise or fields[_CLASS] in _SIGNIFICANT
            dropped.add(fields[_SHA256].decode())
        is_otherwise = is_otherwise or bool(compared)
        pieces += (raw[done:start], new)
        done = end
    pieces.append(raw[done:])
    return Spliced(b"".join(pieces), is_otherwise, frozenset(dropped - {""}))


def content_digest(raw: bytes) -> str:
    """Return the content digest of a tree object, as `Tree.write` makes it."""
    digest = hashlib.sha256()
    file = EntryType.FILE.value.encode()
    for line in raw[len(TREE_HEADER) + 1 : -1].split(b"\n"):
        fields = line.split(b"\t")
        if fields[_CLASS] in _SIGNIFICANT:
            size = fields[6] if fields[1] == file else b"0"
            digest.update(b"\t".join((*fields[:5], size, *fields[7:11])) + b"\n")
    return f"sha256:{digest.hexdigest()}"


def blobs(raw: bytes) -> Iterator[tuple[str, int]]:
    """Yield the digest and size of each content that a tree object needs by value, once."""
    seen = set()
    for match in _BLOB.finditer(raw):
        if match[1] not in seen:
            seen.add(match[1])
            start = raw.rfind(b"\n", 0, match.start()) + 1
            yield match[1].decode(), int(raw[start : match.start()].split(b"\t", 7)[6])


def _find(raw: bytes, key: bytes, low: int) -> tuple[int, int]:
    """Return where the line of a path is, or an empty range where it belongs.

    `low` is the start of a line that no line before can follow.
    """
    high = len(raw)
    while low < high:
        start = raw.rfind(b"\n", low, (low + high) // 2) + 1 or low
        tab = raw.index(b"\t", start)
        end = raw.index(b"\n", tab) + 1
        found = raw[start:tab]
        if b"\\" in found:
            found = sort_key(unescape(found.decode()))
        if found == key:
            return start, end
        if found < key:
            low = end
        else:
            high = start
    return low, low
