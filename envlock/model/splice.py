"""Change a few rows of a tree object without reading the others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from envlock.model.text import sort_key, unescape
from envlock.model.tree import SIGNIFICANT, TREE_HEADER, EntryType

_SIZE, _SHA256, _CLASS, _SOURCE = 6, 7, 11, 13
"""Fields of a line."""
_SIGNIFICANT = frozenset(kind.value.encode() for kind in SIGNIFICANT)
_FILE = EntryType.FILE.value.encode()
_BLOB = b"blob "
_BLOB_SOURCE = re.compile(rb"\tblob ([0-9a-f]{64})\n")
_PRISTINE = re.compile(rb"\t([0-9a-f]{64})\t[^\t\n]*\t[^\t\n]*\t[^\t\n]*\tconffile\t")
HEADER_SIZE = len(TREE_HEADER) + 1


class Spliced(NamedTuple):
    """Bytes with other lines in them, in pieces, and the lines that were replaced: old and new,
    each empty where there was or is none.
    """  # noqa: D205

    pieces: tuple[bytes | memoryview, ...]
    replaced: tuple[tuple[bytes, bytes], ...]


def splice(raw: bytes, lines: Mapping[str, bytes], start: int = HEADER_SIZE) -> Spliced:
    """Return `raw` with another line for each path, empty for none.

    `raw` is a tree object, or from `start` on lines that begin with a path and a tab, in its order.
    """
    view = memoryview(raw)
    pieces: list[bytes | memoryview] = []
    replaced = []
    done, end = 0, start
    for path in sorted(lines, key=sort_key):
        begin, end = _find(raw, sort_key(path), end)
        old, new = raw[begin:end], lines[path]
        if old != new:
            replaced.append((old, new))
            pieces += (view[done:begin], new)
            done = end
    pieces.append(view[done:])
    return Spliced(tuple(pieces), tuple(replaced))


def lines_of(raw: bytes) -> Iterator[bytes]:
    """Yield the lines of a tree object, each with its end."""
    return (line + b"\n" for line in raw[HEADER_SIZE:-1].split(b"\n"))


def compared(line: bytes) -> bytes:
    """Return what of a line enters the content digest, as `envlock.model.tree` writes it."""
    fields = line[:-1].split(b"\t")
    if len(fields) <= _CLASS or fields[_CLASS] not in _SIGNIFICANT:
        return b""
    size = fields[_SIZE] if fields[1] == _FILE else b"0"
    return b"\t".join((*fields[:5], size, *fields[_SHA256:_CLASS])) + b"\n"


def blob_in(line: bytes) -> tuple[str, int] | None:
    """Return digest and size of the content that a line needs by value, or None."""
    fields = line[:-1].split(b"\t")
    if len(fields) <= _SOURCE or not fields[_SOURCE].startswith(_BLOB):
        return None
    return fields[_SOURCE][len(_BLOB) :].decode(), int(fields[_SIZE])


def kept_digests(raw: bytes) -> tuple[frozenset[str], frozenset[str]]:
    """Return the digests of content that a tree object needs by value, and of the configuration
    that is as its package has it, which is kept to tell what of it is changed later.
    """  # noqa: D205
    blobs = {found.decode() for found in _BLOB_SOURCE.findall(raw)}
    pristine = {found.decode() for found in _PRISTINE.findall(raw)}
    return frozenset(blobs), frozenset(pristine)


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
