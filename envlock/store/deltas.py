r"""Deltas: new objects in one frame, of which the dictionary is old objects that the reader has.

A file tree of thousands of lines and a database of packages change in a few lines; against the
version before they take a few hundred bytes.  Layout, numbers big-endian::

    magic   16 bytes, ``envlock-delta 1\n``
    counts  u32 of bases, u32 of objects
    tables  rows of 32 bytes digest and u64 size: the bases, then the objects
    content one zstd frame with the objects one after another; its dictionary is the bases

A base is never in a delta itself, so one delta is all that a reader unpacks.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from envlock.store.frames import FrameError, frame_against, unpack_frame

MAGIC = b"envlock-delta 1\n"
LARGEST_DELTA = 128 * 1024 * 1024
"""Most bytes of the bases and the objects together; they are held in memory."""
MOST_DELTA_OBJECTS = 65_536
"""Most bases, and most objects."""

_COUNTS = struct.Struct(">II")
_ROW = struct.Struct(">32sQ")

Read = Callable[[str], bytes]
"""Digest (hex) -> content."""


class DeltaError(ValueError):
    """A delta that cannot be read, or whose content does not match its digests."""


class Delta(NamedTuple):
    """What a delta has: digest (hex) -> size in bytes, in the order of the content."""

    bases: Mapping[str, int]
    objects: Mapping[str, int]
    start: int
    """Where the frame begins, in bytes."""


def fits(bases: Mapping[str, int], objects: Mapping[str, int]) -> bool:
    """True when a delta may have these bases and objects, given with their sizes."""
    return (
        sum(bases.values()) + sum(objects.values()) <= LARGEST_DELTA
        and max(len(bases), len(objects)) <= MOST_DELTA_OBJECTS
    )


def write_delta(bases: Mapping[str, int], objects: Mapping[str, int], read: Read) -> bytes:
    """Return a delta of objects against bases, both in the order given: digest (hex) -> size.

    The bytes depend on these and on the version of zstd only.
    """
    rows = [_ROW.pack(bytes.fromhex(s), size) for s, size in (*bases.items(), *objects.items())]
    content = frame_against(b"".join(map(read, bases)), b"".join(map(read, objects)))
    return b"".join((MAGIC, _COUNTS.pack(len(bases), len(objects)), *rows, content))


def read_delta(piece: Callable[[int, int], bytes]) -> Delta:
    """Return what a delta has; `piece` returns a part of it, by offset and size.

    Raise DeltaError for anything that is no delta.
    """
    head = piece(0, len(MAGIC) + _COUNTS.size)
    if not head.startswith(MAGIC) or len(head) != len(MAGIC) + _COUNTS.size:
        raise DeltaError("not a delta of envlock")
    counts = _COUNTS.unpack_from(head, len(MAGIC))
    if max(counts) > MOST_DELTA_OBJECTS:
        raise DeltaError(f"a delta of more than {MOST_DELTA_OBJECTS:,} objects")
    size = _ROW.size * sum(counts)
    table = piece(len(head), size) if size else b""
    if len(table) != size:
        raise DeltaError("the table of the delta ends early")
    rows = [(raw.hex(), length) for raw, length in _ROW.iter_unpack(table)]
    bases, objects = dict(rows[: counts[0]]), dict(rows[counts[0] :])
    if len(bases) + len(objects) != len(rows) or bases.keys() & objects.keys():
        raise DeltaError("the table of the delta names an object twice")
    if not fits(bases, objects):
        raise DeltaError(f"a delta of more than {LARGEST_DELTA:,} bytes")
    return Delta(bases, objects, len(head) + size)


def read_objects_of(delta: Delta, frame: bytes, read: Read) -> Iterator[tuple[str, bytes]]:
    """Yield digest (hex) and content of each object of a delta, verified.

    `frame` is what follows the tables, `read` returns the verified content of a base.  Raise
    DeltaError when something does not match.
    """
    bases: Sequence[bytes] = [read(sha256) for sha256 in delta.bases]
    if [*map(len, bases)] != [*delta.bases.values()]:
        raise DeltaError("a base of the delta has another size")
    try:
        content = unpack_frame(frame, sum(delta.objects.values()), b"".join(bases))
    except FrameError as error:
        raise DeltaError(f"the content of the delta is {error}") from error
    at = 0
    for sha256, size in delta.objects.items():
        found = content[at : at + size]
        at += size
        if hashlib.sha256(found).hexdigest() != sha256:
            raise DeltaError(f"object {sha256} does not match its digest")
        yield sha256, found
