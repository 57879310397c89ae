"""Put the rows that are otherwise into the tree object of the last capture."""

from __future__ import annotations

import hashlib
import marshal
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from envlock.capture.residue import Residue
from envlock.model.splice import blob_of, compared, lines_of, sha256_of, splice
from envlock.model.tree import Row, written_row
from envlock.store.objects import Store

_FEW = 3
_DIGEST = re.compile(rb"\t([0-9a-f]{64})\t")

COMPARED, BLOBS = "tree compared", "tree blobs"
"""What is kept of a tree object beside it: the lines its content digest is made of, and size and
number of rows of each content that travels by value."""


class TreeState(NamedTuple):
    """A tree object: its address, its content digest, the line of the root, and how many bytes are
    kept by value.  The address is empty when there is none.
    """  # noqa: D205

    address: str = ""
    content: str = ""
    root: bytes = b""
    residue: int = 0


class Other(NamedTuple):
    """A tree object with other rows, what it needs beside what the one before did, and without."""

    state: TreeState
    objects: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()


def line_of(row: Row) -> bytes:
    """Return the line of a row."""
    return f"{written_row(row)[0]}\n".encode()


def tables(raw: bytes) -> dict[str, bytes]:
    """Return what is kept beside a tree object."""
    lines = bytearray()
    counts: dict[str, tuple[int, int]] = {}
    for line in lines_of(raw):
        lines += compared(line)
        _count(counts, line, 1)
    return {COMPARED: bytes(lines), BLOBS: marshal.dumps(counts)}


def with_rows(
    before: TreeState,
    lines: Mapping[str, bytes],
    beside: Mapping[str, bytes],
    residue: Residue,
    store: Store,
) -> Other:
    """Return the tree object with other `lines` (by path, empty for none), put into the store.

    `beside` are the tables of the one before.
    """
    spliced = splice(store.read(before.address), lines)
    if not spliced.replaced:
        return Other(before)
    beside = beside if len(beside) == 2 else tables(store.read(before.address))
    content = before.content
    judged = {path: compared(line) for path, line in lines.items()}
    if any(compared(old) != compared(new) for old, new in spliced.replaced):
        changed = splice(beside[COMPARED], judged, 0).raw
        content = f"sha256:{hashlib.sha256(changed).hexdigest()}"
    dropped = {sha256_of(old) for old, _ in spliced.replaced} - {""}
    size = before.residue
    if any(blob_of(line) for pair in spliced.replaced for line in pair):
        counts = marshal.loads(beside[BLOBS])  # noqa: S302  checked, and our own
        touched = {found[0] for pair in spliced.replaced for found in map(blob_of, pair) if found}
        size -= _size(counts, touched)
        for old, new in spliced.replaced:
            _count(counts, old, -1)
            _count(counts, new, 1)
        size += _size(counts, touched)
    # What is kept to tell which setting was changed is no row's blob, but the digest of one.
    if len(dropped) > _FEW:
        dropped -= {found.decode() for found in _DIGEST.findall(spliced.raw)}
    dropped = {sha256 for sha256 in dropped if sha256.encode() not in spliced.raw}
    address = residue.put_tree(spliced.raw)
    state = TreeState(address, content, lines.get("/", before.root), size)
    return Other(state, residue.objects | {address}, frozenset({*dropped, before.address}))


def _size(counts: Mapping[str, tuple[int, int]], digests: Iterable[str]) -> int:
    """Return the size of those contents that rows need."""
    found = (counts.get(sha256, (0, 0)) for sha256 in digests)
    return sum(size for size, rows in found if rows)


def _count(counts: dict[str, tuple[int, int]], line: bytes, more: int) -> None:
    blob = blob_of(line)
    if blob is not None:
        sha256, size = blob
        counts[sha256] = size, counts.get(sha256, (0, 0))[1] + more


def as_lines(rows: Iterable[Row], gone: Iterable[str]) -> dict[str, bytes]:
    """Return the line of each row by its path, and none for the paths that are gone."""
    lines = dict.fromkeys(gone, b"")
    lines.update((row.entry.path, line_of(row)) for row in rows)
    return lines
