"""Rows of a table in an SQLite database, given the bytes of the database and its write-ahead log.

Parsed in pure Python, without the SQLite library, because the file is untrusted: views and triggers
of a hostile schema are never run, and no file is written.  Committed transactions in the log count,
as they do for SQLite.  Sources: the SQLite
documentation, "Database File Format", sections 1.3, 1.6, 2.1 and 4.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import NamedTuple

Value = bytes | str | int | float | None
"""A column of a row, as SQLite stores it."""

_MAGIC = b"SQLite format 3\0"
_HEADER = 100
_UTF8 = 1
_INTERIOR, _LEAF = 5, 13
_WAL_HEADER, _FRAME_HEADER = 32, 24
_WAL_MAGIC = 0x377F0682
_INTEGER_SIZES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}


class _Database:
    """The pages of a database; a page in the log replaces the one in the file."""

    def __init__(self, raw: bytes, wal: bytes) -> None:
        if raw[:16] != _MAGIC or len(raw) < _HEADER:
            raise ValueError("not an SQLite database")
        size = int.from_bytes(raw[16:18], "big")
        self._size = 65536 if size == 1 else size
        if self._size < 512 or self._size & (self._size - 1):
            raise ValueError("invalid page size")
        self._raw = raw
        self._logged = _committed(wal, self._size) if wal else {}
        self.usable = self._size - raw[20]
        self.budget = len(raw) + len(wal)
        """Bytes of rows that may still follow; only a hostile file has rows that share pages."""
        if self.usable < 480:
            raise ValueError("invalid page size")
        if int.from_bytes(self.page(1)[56:60], "big") not in (0, _UTF8):
            raise ValueError("text that is not UTF-8")

    def page(self, number: int) -> bytes:
        logged = self._logged.get(number)
        if logged is not None:
            return logged
        start = (number - 1) * self._size
        page = self._raw[start : start + self._size]
        if number < 1 or len(page) < self._size:
            raise ValueError(f"page {number} is missing")
        return page


class Row(NamedTuple):
    """A row: its id and its columns.

    A column that is the id itself (``INTEGER PRIMARY KEY``) is None among them, as it is stored.
    """

    id: int
    values: tuple[Value, ...]


def parse_table(raw: bytes, table: str, wal: bytes = b"") -> Iterator[Row]:
    """Yield the rows of a table, sorted by id; none when there is no such table.

    Raise ValueError where the database is damaged, possibly after some rows.
    """
    database = _Database(raw, wal)
    for _, values in _rows(database, 1):
        if values[:2] == ("table", table) and len(values) > 3 and isinstance(values[3], int):
            yield from _rows(database, values[3])


def every_table(raw: bytes) -> Iterator[tuple[str, Iterator[Row]]]:
    """Yield the statement that made each ordinary table, and its rows sorted by id.

    Raise ValueError where the database is damaged, also while rows are read.
    """
    database = _Database(raw, b"")
    for _, values in _rows(database, 1):
        root = values[3] if len(values) > 4 else 0
        if values[:1] == ("table",) and isinstance(root, int) and root > 0:  # virtual ones have 0
            yield str(values[4]), _rows(database, root)


def _rows(database: _Database, root: int) -> Iterator[Row]:
    todo, seen = [root], {root}
    while todo:
        number = todo.pop()
        page = database.page(number)
        start = _HEADER if number == 1 else 0
        kind = page[start]
        if kind not in (_INTERIOR, _LEAF):
            raise ValueError(f"page {number} is not a page of a table")
        count = int.from_bytes(page[start + 3 : start + 5], "big")
        pointers = start + (12 if kind == _INTERIOR else 8)
        if pointers + 2 * count > len(page):
            raise ValueError(f"page {number} has more cells than room")
        cells = struct.unpack_from(f">{count}H", page, pointers)
        if kind == _LEAF:
            for cell in cells:
                yield _row(database, page, cell)
            continue
        children = [int.from_bytes(page[at : at + 4], "big") for at in (*cells, start + 8)]
        if seen.intersection(children):
            raise ValueError(f"page {number} is part of a cycle")
        seen.update(children)
        todo += reversed(children)


def _row(database: _Database, page: bytes, cell: int) -> Row:
    size, start = _varint(page, cell)
    row_id, start = _varint(page, start)
    return Row(row_id, _record(_payload(database, page, start, size)))


def _payload(database: _Database, page: bytes, start: int, size: int) -> bytes:
    """Return a record of `size` bytes, including its overflow pages."""
    database.budget -= size
    if database.budget < 0:
        raise ValueError("rows larger than the database")
    usable = database.usable
    if size <= usable - 35:
        return page[start : start + size]
    least = (usable - 12) * 32 // 255 - 23
    local = least + (size - least) % (usable - 4)
    if local > usable - 35:
        local = least
    chunks, missing = [page[start : start + local]], size - local
    following = int.from_bytes(page[start + local : start + local + 4], "big")
    while missing > 0:
        overflow = database.page(following)
        following = int.from_bytes(overflow[:4], "big")
        chunks.append(overflow[4 : 4 + min(missing, usable - 4)])
        missing -= usable - 4
    return b"".join(chunks)


def _record(payload: bytes) -> tuple[Value, ...]:
    end, at = _varint(payload, 0)
    values: list[Value] = []
    position = end
    while at < end:
        kind, at = _varint(payload, at)
        value, position = _value(payload, kind, position)
        values.append(value)
    return tuple(values)


def _value(payload: bytes, kind: int, start: int) -> tuple[Value, int]:
    if kind in _INTEGER_SIZES:
        end = start + _INTEGER_SIZES[kind]
        return int.from_bytes(payload[start:end], "big", signed=True), end
    if kind == 7:
        (number,) = struct.unpack(">d", payload[start : start + 8].rjust(8, b"\0"))
        return float(number), start + 8
    if kind >= 12:
        end = start + (kind - 12) // 2
        content = payload[start:end]
        return content.decode("utf-8", "surrogateescape") if kind % 2 else content, end
    return (kind - 8 if kind in (8, 9) else None), start


def _varint(page: bytes, start: int) -> tuple[int, int]:
    """Return a number of one to nine bytes and the offset of its end."""
    value = 0
    for at in range(start, min(start + 9, len(page))):
        byte = page[at]
        if at == start + 8:
            return value << 8 | byte, at + 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + 1
    raise ValueError("unterminated number")


class _Sums(NamedTuple):
    """The running checksum of a write-ahead log."""

    first: int
    second: int


def _committed(wal: bytes, page_size: int) -> Mapping[int, bytes]:
    """Return page number -> content, of the committed transactions in a log."""
    magic, _, size, _, *rest = struct.unpack(">8I", wal[:_WAL_HEADER].ljust(_WAL_HEADER, b"\0"))
    if magic & ~1 != _WAL_MAGIC or size != page_size:
        return {}
    order = ">" if magic & 1 else "<"
    salts, sums = wal[16:24], _add(_Sums(0, 0), wal[:24], order)
    if sums != _Sums(*rest[2:]):
        return {}
    committed: dict[int, bytes] = {}
    pending: dict[int, bytes] = {}
    for start in range(_WAL_HEADER, len(wal) - page_size - _FRAME_HEADER + 1, _FRAME_HEADER + size):
        head = wal[start : start + _FRAME_HEADER]
        page = wal[start + _FRAME_HEADER : start + _FRAME_HEADER + size]
        sums = _add(_add(sums, head[:8], order), page, order)
        if head[8:16] != salts or sums != _Sums(*struct.unpack(">2I", head[16:])):
            break
        number, is_commit = struct.unpack(">2I", head[:8])
        pending[number] = page
        if is_commit:
            committed.update(pending)
            pending.clear()
    return committed


def _add(sums: _Sums, content: bytes, order: str) -> _Sums:
    first, second = sums
    for a, b in struct.iter_unpack(f"{order}2I", content):
        first = (first + a + second) & 0xFFFFFFFF
        second = (second + b + first) & 0xFFFFFFFF
    return _Sums(first, second)
