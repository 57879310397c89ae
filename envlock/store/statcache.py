"""The stat cache: digests of files that cannot have changed since they were last read.

A row is valid while device, inode, size, mtime and ctime are unchanged.  ctime is needed because
restored mtimes (``cp -p``, tar, dpkg) hide a change.  A file whose mtime or ctime is later than two
seconds before the scan is not cached, since a later change may leave the same times (the racy rule:
git's Documentation/technical/racy-git.txt).

It is only a cache.  A database that is damaged or of another version is recreated, a locked one is
ignored, and a row with a flipped bit is a miss.  The table is ``entry(root, path, row)``; `row`
contains the five numbers (8 bytes each, little-endian), the verdict (4 bytes, 0 for none), SHA-256,
MD5 and SHA-1 if known, and a CRC-32 of the path and all of that.
"""

from __future__ import annotations

import sqlite3
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from envlock.model.stat import RACY_NS, Hashes, StatKey
from envlock.model.text import from_bytes, to_bytes

_VERSION = 2
_NUMBERS = struct.Struct("<QQQqq")
_VERDICT = struct.Struct("<I")
_SHA256 = _NUMBERS.size + _VERDICT.size
_SHA256_END = _SHA256 + 32
_MD5_SIZE, _SHA1_SIZE = 16, 20
_NO_VERDICT = _VERDICT.pack(0)
_CHECKSUM = struct.Struct("<I")
_OLDEST = -(2**63)
"""The earliest time that a row can hold."""
_FEW = 1000
"""The number of lookups after which all rows are loaded."""
_ALL = (
    "SELECT path, row FROM entry WHERE root = ? AND typeof(path) = 'blob' AND typeof(row) = 'blob'"
)
_ONE = f"{_ALL} AND path = ?"
_ANY = f"{_ALL} LIMIT 1"
_WAIT = 1.0
"""Seconds to wait while another process writes."""


class StatCache:
    """The rows of one scanned root; new ones are written by `close`.

    A scan may need one row or all of them: the first rows are looked up one by one, after that all
    are loaded.

    `root` identifies the target, for example by its reference.  Create the cache when the scan
    starts: `clock` (nanoseconds since 1970) is read once, for the racy rule.  Implements
    `envlock.targets.base.HashCache`; no method raises.
    """

    def __init__(self, path: Path, root: str, clock: Callable[[], int] = time.time_ns) -> None:
        self._path = path
        self._root = to_bytes(root)
        self._settled_before = clock() - RACY_NS
        self._new: dict[str, bytes] = {}
        self._gone: set[str] = set()
        self._rows: dict[str, bytes] = {}
        self._asked = 0
        self._reader: sqlite3.Connection | None = None

    def get(self, key: StatKey) -> Hashes | None:
        """Return the digests of a file with exactly this key, or None."""
        path, *numbers = key
        row = self._row(path)
        if row is None or self._is_racy(key) or not row.startswith(_NUMBERS.pack(*numbers)):
            return None
        content, checksum = row[: -_CHECKSUM.size], row[-_CHECKSUM.size :]
        if checksum != _checksum(path, content):
            return None
        others = content[_SHA256_END:]
        md5 = others[:_MD5_SIZE] if len(others) in (_MD5_SIZE, _MD5_SIZE + _SHA1_SIZE) else b""
        sha256, sha1 = content[_SHA256:_SHA256_END], others[len(md5) :]
        return Hashes(sha256.hex(), md5.hex(), sha1.hex())

    def put(self, key: StatKey, hashes: Hashes) -> None:
        """Store the digests of a file that was just read, unless it may still be changing."""
        if self._is_racy(key):
            return
        numbers = _NUMBERS.pack(*key[1:])
        self._write(key.path, numbers + _NO_VERDICT + bytes.fromhex("".join(hashes)))

    def mark_clean(self, path: str, sha256: str, verdict: int) -> None:
        """Store that this content at this path holds no secret, by rules of the id `verdict`."""
        row = self._row(path)
        if row is not None and row[_SHA256:_SHA256_END].hex() == sha256:
            numbers, rest = row[: _NUMBERS.size], row[_SHA256 : -_CHECKSUM.size]
            self._write(path, numbers + _VERDICT.pack(verdict) + rest)

    def is_clean(self, path: str, sha256: str, verdict: int) -> bool:
        """True when `mark_clean` was called with the same arguments, and the row is sound."""
        row = self._row(path)
        return (
            row is not None
            and row[_NUMBERS.size : _SHA256_END] == _VERDICT.pack(verdict) + bytes.fromhex(sha256)
            and row[-_CHECKSUM.size :] == _checksum(path, row[: -_CHECKSUM.size])
        )

    def forget(self, path: str) -> None:
        """Remove what is known of a file, whose digest must not be kept."""
        if self._row(path) is not None:
            self._rows[path] = bytes(_SHA256_END + _CHECKSUM.size)
            self._new.pop(path, None)
            self._gone.add(path)

    def _row(self, path: str) -> bytes | None:
        row = self._rows.get(path)
        if row is None and self._asked < _FEW:
            self._asked += 1
            if self._asked == 1 and not self._load(_ANY):
                self._asked = _FEW  # there are no rows of this root
            elif self._asked == _FEW:
                self._rows = {**self._load(_ALL), **self._rows}
            else:
                self._rows.update(self._load(_ONE, to_bytes(path)))
            row = self._rows.get(path)
        return row

    def _write(self, path: str, content: bytes) -> None:
        self._rows[path] = self._new[path] = content + _checksum(path, content)
        self._gone.discard(path)

    def close(self) -> None:
        """Write the new rows in one transaction.  May be called twice."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        new, self._new = self._new, {}
        gone, self._gone = self._gone, set()
        if not new and not gone:
            return
        # In order, so that they are appended to the table.
        rows = ((self._root, to_bytes(path), row) for path, row in sorted(new.items()))
        names = ((self._root, to_bytes(path)) for path in sorted(gone))
        with self._tolerant(), closing(self._connect()) as database, database:
            database.executemany("DELETE FROM entry WHERE root = ? AND path = ?", names)
            database.executemany("INSERT OR REPLACE INTO entry VALUES (?, ?, ?)", rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _is_racy(self, key: StatKey) -> bool:
        times = (key.mtime_ns, key.ctime_ns)
        return max(times) >= self._settled_before or min(times) < _OLDEST

    def _load(self, query: str, *given: bytes) -> dict[str, bytes]:
        rows: dict[str, bytes] = {}
        with self._tolerant():
            if self._reader is None:
                self._reader = self._connect()
            found = self._reader.execute(query, (self._root, *given))
            rows.update((from_bytes(path), row) for path, row in found)
        return rows

    @contextmanager
    def _tolerant(self) -> Iterator[None]:
        """Ignore errors of the database; delete it when it is damaged."""
        try:
            yield
        except sqlite3.OperationalError:
            pass  # locked, or it cannot be created
        except sqlite3.DatabaseError:
            self._asked = _FEW
            with suppress(OSError):
                self._path.unlink()

    def _connect(self) -> sqlite3.Connection:
        """Open the database; create it anew when it is of another version."""
        database = sqlite3.connect(self._path, timeout=_WAIT)
        try:
            # A cache need not survive a power failure, and waiting for a busy disk takes long.
            database.execute("PRAGMA synchronous = OFF")
            (version,) = database.execute("PRAGMA user_version").fetchone()
            if version != _VERSION:
                database.executescript(
                    "BEGIN IMMEDIATE; DROP TABLE IF EXISTS entry;"
                    "CREATE TABLE entry (root BLOB, path BLOB, row BLOB, PRIMARY KEY (root, path))"
                    f" WITHOUT ROWID; PRAGMA user_version = {_VERSION}; COMMIT"
                )
        except sqlite3.Error:
            database.close()
            raise
        return database


def _checksum(path: str, content: bytes) -> bytes:
    return _CHECKSUM.pack(zlib.crc32(content, zlib.crc32(to_bytes(path))))
