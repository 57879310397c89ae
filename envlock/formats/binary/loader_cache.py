"""The cache of the dynamic loader, /etc/ld.so.cache, that ldconfig(8) writes.

Source: glibc, sysdeps/generic/dl-cache.h (struct cache_file_new, struct file_entry_new).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

_MAGIC = b"glibc-ld.so.cache1.1"
_HEADER = 48
_ENTRY = 24
_BIG = 3
_LONGEST = 4096
_MOST = 1 << 20


def parse_loader_cache(raw: bytes) -> Mapping[str, tuple[str, ...]] | None:
    """Return the name of each library -> its paths, in the order in which the loader tries them.

    Return None when it is no cache, or is damaged.
    """
    start = raw.find(_MAGIC)
    if start < 0 or len(raw) < start + _HEADER:
        return None
    order = ">" if raw[start + 28] & 3 == _BIG else "<"
    (count,) = struct.unpack_from(f"{order}I", raw, start + len(_MAGIC))
    if count > _MOST or start + _HEADER + count * _ENTRY > len(raw):
        return None
    found: dict[str, list[str]] = {}
    for number in range(count):
        at = start + _HEADER + number * _ENTRY
        name, path = (
            _text(raw, start + offset) for offset in struct.unpack_from(f"{order}II", raw, at + 4)
        )
        if name and path:
            found.setdefault(name, []).append(path)
    return {name: tuple(paths) for name, paths in found.items()}


def _text(raw: bytes, at: int) -> str:
    end = raw.find(b"\0", at, at + _LONGEST)
    return raw[at:end].decode("utf-8", "surrogateescape") if end > at else ""
