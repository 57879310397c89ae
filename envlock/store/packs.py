r"""Packs: many small objects in one file, for what travels.

A registry takes 50 ms for each upload, so objects do not travel one by one.  Objects are sorted by
digest, and a pack ends after an object whose digest says so: boundaries depend on the list of
digests alone, and a changed object changes one pack.  Layout, numbers big-endian::

    magic   15 bytes, ``envlock-pack 1\n``
    count   u32
    table   count rows of 32 bytes digest, u64 offset, u64 stored size, u64 size, u8 form
    content the objects, each as it is (form 0) or as one zstd frame (form 1)

The table comes first, so that a ranged read finds any object; each object verifies alone.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from envlock.store.frames import FrameError, frame, unpack_frame

MAGIC = b"envlock-pack 1\n"
LARGE = 1024 * 1024
"""From this size in bytes on, an object travels by itself instead of in a pack."""
LARGEST_PACK = 32 * 1024 * 1024
"""Size in bytes of the objects after which a pack ends in any case."""
MOST_OBJECTS = 65_536
"""Most objects of a pack that is read."""

_ENDS = 0x3F
"""A pack ends after a digest whose last byte has none of these bits: one in 64."""
_COUNT = struct.Struct(">I")
_ROW = struct.Struct(">32sQQQB")
_RAW, _ZSTD = 0, 1
_LEVEL = 3
_WORTH = 0.9
"""An object is kept compressed if that leaves less than this share of it."""

Reader = Callable[[int, int], bytes]
"""(offset, size) -> bytes of a pack; fewer at its end."""


class PackError(ValueError):
    """A pack that cannot be read, or whose content does not match its digests."""


class Packed(NamedTuple):
    """One object of a pack: its digest (hex), where it lies, and its size when it is unpacked."""

    sha256: str
    offset: int
    stored: int
    size: int
    is_compressed: bool


def divide(sizes: Mapping[str, int]) -> Iterator[tuple[str, ...]]:
    """Yield the digests of each pack, for objects of these sizes; large ones are left out."""
    pack: list[str] = []
    total = 0
    for sha256 in sorted(sizes):
        size = sizes[sha256]
        if size >= LARGE:
            continue
        pack.append(sha256)
        total += size
        if not int(sha256[-2:], 16) & _ENDS or total >= LARGEST_PACK or len(pack) == MOST_OBJECTS:
            yield tuple(pack)
            pack, total = [], 0
    if pack:
        yield tuple(pack)


def write_pack(digests: Iterable[str], read: Callable[[str], bytes]) -> bytes:
    """Return a pack of objects; `read` returns the content of a digest (hex).

    The bytes depend on the objects and on the version of zstd only.  Raise PackError when the
    content of an object has another digest.
    """
    rows, contents = [], []
    ordered = sorted(digests)
    offset = len(MAGIC) + _COUNT.size + _ROW.size * len(ordered)
    for sha256 in ordered:
        content = read(sha256)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise PackError(f"object {sha256} does not match its digest")
        stored, form = content, _RAW
        if content:
            squeezed = frame(content, _LEVEL)
            if len(squeezed) < len(content) * _WORTH:
                stored, form = squeezed, _ZSTD
        rows.append(_ROW.pack(bytes.fromhex(sha256), offset, len(stored), len(content), form))
        contents.append(stored)
        offset += len(stored)
    return b"".join((MAGIC, _COUNT.pack(len(ordered)), *rows, *contents))


def read_table(read: Reader) -> tuple[Packed, ...]:
    """Return the objects of a pack.  Raise PackError for anything that is no pack."""
    head = read(0, len(MAGIC) + _COUNT.size)
    if not head.startswith(MAGIC) or len(head) != len(MAGIC) + _COUNT.size:
        raise PackError("not a pack of envlock")
    (count,) = _COUNT.unpack_from(head, len(MAGIC))
    if count > MOST_OBJECTS:
        raise PackError(f"a pack of more than {MOST_OBJECTS:,} objects")
    table = read(len(head), _ROW.size * count)
    if len(table) != _ROW.size * count:
        raise PackError("the table of the pack ends early")
    end = len(head) + len(table)
    found = []
    for raw, offset, stored, size, form in _ROW.iter_unpack(table):
        if offset != end or form not in (_RAW, _ZSTD) or size >= LARGE or stored > size:
            raise PackError("the table of the pack is damaged")
        if form == _RAW and stored != size:
            raise PackError("the table of the pack is damaged")
        end += stored
        found.append(Packed(raw.hex(), offset, stored, size, form == _ZSTD))
    if [each.sha256 for each in found] != sorted({each.sha256 for each in found}):
        raise PackError("the table of the pack is not sorted")
    return tuple(found)


def read_object(read: Reader, packed: Packed) -> bytes:
    """Return one object of a pack, verified.  Raise PackError when it does not match."""
    content = read(packed.offset, packed.stored)
    if packed.is_compressed:
        try:
            content = unpack_frame(content, packed.size)
        except FrameError as error:
            raise PackError(f"object {packed.sha256} cannot be unpacked") from error
    if len(content) != packed.size or hashlib.sha256(content).hexdigest() != packed.sha256:
        raise PackError(f"object {packed.sha256} does not match its digest")
    return content
