"""Patch the tree object of the last capture with the rows that changed."""

from __future__ import annotations

import marshal
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from envlock.capture.residue import Residue
from envlock.model.splice import blob_in, compared, lines_of, pristine_in, splice
from envlock.model.tree import Row, render_row
from envlock.store.objects import digest_of

COMPARED, BLOBS, PRISTINE = "tree compared", "tree blobs", "tree pristine"
"""Tables that are kept beside a tree object: the lines that enter its content digest, the size and
number of rows of each blob, and the size of each unmodified configuration file."""


_NOTHING = marshal.dumps({})


class TreeState(NamedTuple):
    """A tree object: address (empty for none), content digest, line of the root directory, and the
    size of its blobs in bytes.
    """  # noqa: D205

    address: str = ""
    content: str = ""
    root: bytes = b""
    residue: int = 0


def line_of(row: Row) -> bytes:
    """Return the line of a row in the tree object."""
    return f"{render_row(row)[0]}\n".encode()


def tables(raw: bytes, is_held: Callable[[str, int], bool]) -> dict[str, bytes]:
    """Return the tables that are kept beside a tree object.

    `is_held` says whether the store has the content of that digest and size.
    """
    lines = bytearray()
    counts: dict[str, tuple[int, int]] = {}
    pristine: dict[str, int] = {}
    for line in lines_of(raw):
        lines += compared(line)
        _count(counts, line, 1)
        if b"\tconffile\t" in line and (found := pristine_in(line)) and is_held(*found):
            pristine[found[0]] = found[1]
    return {
        COMPARED: bytes(lines),
        BLOBS: marshal.dumps(counts),
        PRISTINE: marshal.dumps(pristine),
    }


def relied_on(table: Callable[[str], bytes | None]) -> Iterator[tuple[str, int]]:
    """Yield digest and size of each object that a tree relies on, from the tables beside it."""
    counts = marshal.loads(table(BLOBS) or _NOTHING)  # noqa: S302  our own
    yield from ((sha256, size) for sha256, (size, rows) in counts.items() if rows and size)
    yield from marshal.loads(table(PRISTINE) or _NOTHING).items()  # noqa: S302  our own


def with_rows(
    before: TreeState,
    raw: bytes,
    lines: Mapping[str, bytes],
    table: Callable[[str], bytes | None],
    residue: Residue,
) -> TreeState:
    """Replace lines of the tree object `raw` and put the result into the store.

    `lines` are by path, empty for a path that vanished; `table` gives the tables kept beside
    `before`.
    """
    spliced = splice(raw, lines)
    if not spliced.replaced:
        return before
    content, size = before.content, before.residue
    if any(compared(old) != compared(new) for old, new in spliced.replaced):
        known = table(COMPARED) or tables(raw, _is_not_held)[COMPARED]
        judged = splice(known, {path: compared(line) for path, line in lines.items()}, 0)
        content = f"sha256:{digest_of(judged.pieces)}"
    blobs = {blob for pair in spliced.replaced for blob in map(blob_in, pair) if blob}
    if blobs:
        counts = marshal.loads(table(BLOBS) or tables(raw, _is_not_held)[BLOBS])  # noqa: S302  our own
        touched = {sha256 for sha256, _ in blobs}
        size -= _size(counts, touched)
        for old, new in spliced.replaced:
            _count(counts, old, -1)
            _count(counts, new, 1)
        size += _size(counts, touched)
    address = residue.put_tree(spliced.pieces)
    return TreeState(address, content, lines.get("/", before.root), size)


def _is_not_held(_sha256: str, _size: int) -> bool:
    return False


def _size(counts: Mapping[str, tuple[int, int]], digests: Iterable[str]) -> int:
    """Return the size in bytes of the blobs that rows need."""
    found = (counts.get(sha256, (0, 0)) for sha256 in digests)
    return sum(size for size, rows in found if rows)


def _count(counts: dict[str, tuple[int, int]], line: bytes, more: int) -> None:
    blob = blob_in(line)
    if blob is not None:
        sha256, size = blob
        counts[sha256] = size, counts.get(sha256, (0, 0))[1] + more


def as_lines(rows: Iterable[Row], gone: Iterable[str]) -> dict[str, bytes]:
    """Return the line of each row by its path; an empty line for the paths that are gone."""
    lines = dict.fromkeys(gone, b"")
    lines.update((row.entry.path, line_of(row)) for row in rows)
    return lines
