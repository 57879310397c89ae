"""The cache of the dynamic loader, /etc/ld.so.cache, that ldconfig(8) writes.

Source: glibc, sysdeps/generic/dl-cache.h (struct cache_file_new, struct file_entry_new, struct
cache_extension).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import NamedTuple

_MAGIC = b"glibc-ld.so.cache1.1"
_HEADER = 48
_ENTRY = 24
_BIG = 3
_LONGEST = 4096
_MOST = 1 << 20

_EXTENSION_AT = 32
_EXTENSION_MAGIC = 0xEAA42174
_HWCAPS_TAG = 1
_HAS_HWCAPS = 1 << 30
_MOST_SECTIONS = 64
_MOST_LEVELS = 256


class CachedLibrary(NamedTuple):
    """A file in the cache.

    `flags` tell its architecture and C library, as a number of dl-cache.h.  `level` is the
    subdirectory of ``glibc-hwcaps`` that it was found in, empty for any processor.
    """

    path: str
    flags: int = 0
    level: str = ""


def parse_loader_cache(raw: bytes) -> Mapping[str, tuple[CachedLibrary, ...]] | None:
    """Return the name of each library -> its files, in the order of the cache.

    Return None when it is no cache, or is damaged.
    """
    start = raw.find(_MAGIC)
    if start < 0 or len(raw) < start + _HEADER:
        return None
    order = ">" if raw[start + 28] & 3 == _BIG else "<"
    (count,) = struct.unpack_from(f"{order}I", raw, start + len(_MAGIC))
    if count > _MOST or start + _HEADER + count * _ENTRY > len(raw):
        return None
    levels = _levels(raw, start, order)
    found: dict[str, list[CachedLibrary]] = {}
    for number in range(count):
        at = start + _HEADER + number * _ENTRY
        flags, key, value, _, level, upper = struct.unpack_from(f"{order}6I", raw, at)
        if order == ">":
            level, upper = upper, level
        name, path = _text(raw, start + key), _text(raw, start + value)
        if not (name and path):
            continue
        if upper != _HAS_HWCAPS:
            found.setdefault(name, []).append(CachedLibrary(path, flags))
        elif level < len(levels):
            found.setdefault(name, []).append(CachedLibrary(path, flags, levels[level]))
    return {name: tuple(files) for name, files in found.items()}


def _levels(raw: bytes, start: int, order: str) -> list[str]:
    """Return the names of ``glibc-hwcaps`` subdirectories that entries refer to by number."""
    (offset,) = struct.unpack_from(f"{order}I", raw, start + _EXTENSION_AT)
    numbers = _numbers(raw, start + offset, 2, order) if offset else ()
    if len(numbers) < 2 or numbers[0] != _EXTENSION_MAGIC:
        return []
    for section in range(min(numbers[1], _MOST_SECTIONS)):
        row = _numbers(raw, start + offset + 8 + 16 * section, 4, order)
        if len(row) == 4 and row[0] == _HWCAPS_TAG:
            texts = _numbers(raw, start + row[2], min(row[3] // 4, _MOST_LEVELS), order)
            return [_text(raw, start + at) for at in texts]
    return []


def _numbers(raw: bytes, at: int, count: int, order: str) -> tuple[int, ...]:
    """Return `count` numbers at an offset, none when they are not all there."""
    if at + 4 * count > len(raw):
        return ()
    return struct.unpack_from(f"{order}{count}I", raw, at)


def _text(raw: bytes, at: int) -> str:
    end = raw.find(b"\0", at, at + _LONGEST)
    return raw[at:end].decode("utf-8", "surrogateescape") if end > at else ""
