"""Change a few rows of a tree object without parsing the others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from envlock.model.text import sort_key, unescape
from envlock.model.tree import SIGNIFICANT, TREE_HEADER, EntryType, FileClass

_SIZE, _SHA256, _CLASS, _SOURCE = 6, 7, 11, 13
"""Positions of the fields of a line."""
_SIGNIFICANT = frozenset(kind.value.encode() for kind in SIGNIFICANT)
_FILE = EntryType.FILE.value.encode()
_CONFFILE = FileClass.CONFFILE.value.encode()
_BLOBS = (b"blob ", b"redacted ")
_BLOB_SOURCE = re.compile(rb"\t(?:blob|redacted) ([0-9a-f]{64})\n")
_PRISTINE = re.compile(rb"\t([0-9a-f]{64})\t[^\t\n]*\t[^\t\n]*\t[^\t\n]*\tconffile\t")
HEADER_SIZE = len(TREE_HEADER) + 1


class Spliced(NamedTuple):
    """The result of `splice`."""

    pieces: tuple[bytes | memoryview, ...]
    """The new content, in pieces to be joined."""
    replaced: tuple[tuple[bytes, bytes], ...]
    """Old and new line of each change; empty for a line that was added or removed."""


def splice(raw: bytes, lines: Mapping[str, bytes], start: int = HEADER_SIZE) -> Spliced:
    """Return `raw` with the lines of some paths replaced; an empty line removes the path.

    From `start` on, `raw` holds lines that begin with a path and a tab, sorted as in a tree object.
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
    """Yield the lines of a tree object, each with its line end."""
    return (line + b"\n" for line in raw[HEADER_SIZE:-1].split(b"\n"))


def compared(line: bytes) -> bytes:
    """Return the part of a line that enters the content digest, see `envlock.model.tree`."""
    fields = line[:-1].split(b"\t")
    if len(fields) <= _CLASS or fields[_CLASS] not in _SIGNIFICANT:
        return b""
    size = fields[_SIZE] if fields[1] == _FILE else b"0"
    return b"\t".join((*fields[:5], size, *fields[_SHA256:_CLASS])) + b"\n"


def blob_in(line: bytes) -> tuple[str, int] | None:
    """Return digest and size of the blob that a line refers to, or None."""
    fields = line[:-1].split(b"\t")
    if len(fields) <= _SOURCE or not fields[_SOURCE].startswith(_BLOBS):
        return None
    return fields[_SOURCE].partition(b" ")[2].decode(), int(fields[_SIZE])


def pristine_in(line: bytes) -> tuple[str, int] | None:
    """Return digest and size of the unmodified configuration file that a line is, or None."""
    fields = line[:-1].split(b"\t")
    if len(fields) <= _SOURCE or fields[_CLASS] != _CONFFILE or fields[_SOURCE].startswith(_BLOBS):
        return None
    return (fields[_SHA256].decode(), int(fields[_SIZE])) if fields[_SHA256] else None


def kept_digests(raw: bytes) -> tuple[frozenset[str], frozenset[str]]:
    """Return the digests of content that the store must keep for a tree object.

    First the blobs it refers to; then unmodified configuration files of packages, which are kept
    so that a later change can be shown by setting.
    """
    blobs = {found.decode() for found in _BLOB_SOURCE.findall(raw)}
    pristine = {found.decode() for found in _PRISTINE.findall(raw)}
    return frozenset(blobs), frozenset(pristine)


def _find(raw: bytes, key: bytes, low: int) -> tuple[int, int]:
    """Return the range of the line of a path, or an empty range where it would be inserted.

    The search starts at the line that begins at `low`.
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
