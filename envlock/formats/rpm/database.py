"""The database of rpm in its three formats: the headers of installed packages.

Sources: rpm's lib/backend/sqlite.c for
``rpmdb.sqlite``, lib/backend/ndb/rpmpkg.c for ``Packages.db``, and Berkeley DB's
dbinc/db_page.h and hash.h for ``Packages``.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping

from envlock.formats.binary.sqlite import parse_table

Headers = Iterator[bytes]
"""Header blobs in the order of the database.  Iteration raises ValueError where it is damaged."""


def parse_sqlite(raw: bytes, wal: bytes = b"") -> Headers:
    """Yield the headers of an ``rpmdb.sqlite`` and its write-ahead log."""
    for row in parse_table(raw, "Packages", wal):
        blob = row.values[1] if len(row.values) > 1 else None
        yield blob if isinstance(blob, bytes) else b""


_PAGE, _SLOT, _BLOCK = 4096, 16, 16
_BLOB_HEAD, _BLOB_TAIL = 16, 12


def parse_ndb(raw: bytes) -> Headers:
    """Yield the headers of a ``Packages.db``."""
    magic, version, _, pages = struct.unpack("<4s3I", raw[:16].ljust(16, b"\0"))
    if magic != b"RpmP" or version:
        raise ValueError("not an ndb database of version 0")
    if not pages or pages * _PAGE > len(raw):
        raise ValueError("truncated slots")
    for at in range(2 * _SLOT, pages * _PAGE, _SLOT):
        slot, index, offset, count = struct.unpack_from("<4s3I", raw, at)
        if slot != b"Slot":
            raise ValueError("invalid slot")
        if offset:
            yield _ndb_blob(raw[offset * _BLOCK : (offset + count) * _BLOCK], index, count)


def _ndb_blob(block: bytes, index: int, count: int) -> bytes:
    if len(block) < max(count * _BLOCK, _BLOB_HEAD + _BLOB_TAIL):
        raise ValueError(f"package {index} is truncated")
    start, owner, _, size = struct.unpack("<4s3I", block[:_BLOB_HEAD])
    checksum, again, end = struct.unpack("<2I4s", block[-_BLOB_TAIL:])
    is_whole = checksum == zlib.adler32(block[:-_BLOB_TAIL])
    if (start, owner, end, again) != (b"BlbS", index, b"BlbE", size) or not is_whole:
        raise ValueError(f"package {index} is damaged")
    if size > len(block) - _BLOB_HEAD - _BLOB_TAIL:
        raise ValueError(f"package {index} is truncated")
    return block[_BLOB_HEAD : _BLOB_HEAD + size]


_HASH_MAGIC = 0x061561
_HASH_PAGES = (2, 13)
_OVERFLOW_PAGE = 7
_IN_PAGE, _OFF_PAGE = 1, 3
_PAGE_HEAD = 26
_STATED = 88
"""Offset of the number of entries in the first page."""
_SMALLEST_PAGE = 512
_KEY = 4
"""Size of a package number; the value of number 0 is the next free number, not a header."""


def parse_bdb(raw: bytes) -> Headers:
    """Yield the headers of a ``Packages`` that is a Berkeley DB of type hash, of any byte order."""
    order = next((o for o in "<>" if raw[12:16] == struct.pack(f"{o}I", _HASH_MAGIC)), "")
    if not order or len(raw) < _SMALLEST_PAGE:
        raise ValueError("not a Berkeley DB of type hash")
    if raw[24]:
        raise ValueError("the database is encrypted")
    (size,) = struct.unpack(f"{order}I", raw[20:24])
    if not _SMALLEST_PAGE <= size <= 65536 or size & (size - 1):
        raise ValueError("invalid page size")
    budget = len(raw)
    found = 0
    for start in range(size, len(raw) - size + 1, size):
        page = raw[start : start + size]
        if page[25] in _HASH_PAGES:
            found += struct.unpack(f"{order}H", page[20:22])[0] // 2
            for blob in _bdb_values(raw, page, size, order):
                budget -= len(blob)
                if budget < 0:
                    raise ValueError("packages larger than the database")
                yield blob
    (stated,) = struct.unpack(f"{order}I", raw[_STATED : _STATED + 4])
    if found < stated:
        raise ValueError(f"{found} of {stated} entries are there")


def _bdb_values(raw: bytes, page: bytes, size: int, order: str) -> Iterator[bytes]:
    """Yield the values on a hash page; keys and values alternate, beginning with a key."""
    (entries,) = struct.unpack(f"{order}H", page[20:22])
    if _PAGE_HEAD + 2 * entries > size:
        raise ValueError("a page with more items than room")
    offsets = struct.unpack(f"{order}{entries}H", page[_PAGE_HEAD : _PAGE_HEAD + 2 * entries])
    for index in range(1, entries, 2):
        start, end = offsets[index], offsets[index - 1]
        if not _PAGE_HEAD < start < end <= size:
            raise ValueError("an item outside of its page")
        kind = page[start]
        if kind == _IN_PAGE and end - start - 1 > _KEY:
            yield page[start + 1 : end]
        elif kind == _OFF_PAGE and end - start >= 12:
            number, length = struct.unpack(f"{order}2I", page[start + 4 : start + 12])
            yield _bdb_overflow(raw, number, length, size, order)
        elif kind != _IN_PAGE:
            raise ValueError("an item of an unknown kind")


def _bdb_overflow(raw: bytes, number: int, length: int, size: int, order: str) -> bytes:
    if length > len(raw):
        raise ValueError("a package larger than the database")
    chunks, missing = [], length
    while missing > 0:
        page = raw[number * size : (number + 1) * size]
        if len(page) < size or page[25] != _OVERFLOW_PAGE:
            raise ValueError(f"page {number} is not a page of a package")
        number, _, used = struct.unpack(f"{order}I2H", page[16:24])
        if not 0 < used <= size - _PAGE_HEAD:
            raise ValueError("empty overflow page")
        chunks.append(page[_PAGE_HEAD : _PAGE_HEAD + min(used, missing)])
        missing -= used
    return b"".join(chunks)


PARSERS: Mapping[str, Callable[[bytes], Headers]] = {
    "rpmdb.sqlite": parse_sqlite,
    "Packages.db": parse_ndb,
    "Packages": parse_bdb,
}
"""File name -> parser, the current format of rpm first."""
