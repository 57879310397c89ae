"""A file with a header and many small blobs: the format of a capture snapshot.

Like the stat cache it is only a cache, in a private store, and only envlock writes it; a file that
is missing, damaged or of another version is ignored.  Its parts, in this order::

    MAGIC | key, 64 bytes | length of the header, 8 bytes | its BLAKE2b, 16 bytes | header | blobs

The key, a digest in hex, says for what the file was written.  The header is a `marshal` of two
things: the table of the blobs (name -> offset after the header, length and CRC-32, as 20 bytes) and
one value of the writer.
"""

from __future__ import annotations

import hashlib
import marshal
import mmap
import struct
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from envlock.writing import replacing

_MAGIC = b"envlock-snapshot 1\n"
_START = struct.Struct("<64sQ16s")
_SPAN = struct.Struct("<QQI")
_HEADER = len(_MAGIC) + _START.size


class DamagedBlobFileError(ValueError):
    """The content of a blob does not match its checksum."""


class BlobFile:
    """An open file; `value` is the writer's value in its header."""

    def __init__(self, raw: mmap.mmap, start: int, table: Mapping[str, bytes], value: Any) -> None:
        self._raw = raw
        self._start = start
        self._table = table
        self.value = value

    @classmethod
    def open(cls, path: Path, key: str) -> Self | None:
        """Open the file at `path`; return None unless it is sound and was written with `key`."""
        try:
            with path.open("rb") as file:
                raw = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        except (OSError, ValueError):  # missing, or empty
            return None
        try:
            _, length, digest = _START.unpack_from(raw, len(_MAGIC))
            header = raw[_HEADER : _HEADER + length]
            if not raw[:_HEADER].startswith(_MAGIC + key.encode()) or _digest(header) != digest:
                return None
            table, value = marshal.loads(header)  # noqa: S302  its digest was checked
            end = _HEADER + length + sum(_SPAN.unpack(span)[1] for span in table.values())
        except (ValueError, EOFError, TypeError, struct.error):
            return None
        return cls(raw, _HEADER + length, table, value) if end == len(raw) else None

    def names(self) -> Iterable[str]:
        """Return the names of all blobs."""
        return self._table.keys()

    def blob(self, name: str) -> bytes | None:
        """Return a blob, or None when there is none of that name.  Raise DamagedBlobFileError."""
        span = self._table.get(name)
        if span is None:
            return None
        offset, length, checksum = _SPAN.unpack(span)
        blob = self._raw[self._start + offset : self._start + offset + length]
        if zlib.crc32(blob) != checksum:
            raise DamagedBlobFileError(name)
        return blob

    def blobs(self, without: Iterable[str]) -> dict[str, bytes]:
        """Return all blobs except those named.  Raise DamagedBlobFileError."""
        excluded = set(without)
        return {
            name: blob
            for name in self._table
            if name not in excluded and (blob := self.blob(name)) is not None
        }


def is_blob_file(path: Path, key: str) -> bool:
    """True when the file at `path` begins like one that was written with `key`."""
    try:
        with path.open("rb") as file:
            return file.read(_HEADER).startswith(_MAGIC + key.encode())
    except OSError:
        return False


def write_blob_file(path: Path, key: str, value: Any, blobs: Mapping[str, bytes]) -> None:
    """Replace the file at `path`; leave it unchanged when that fails, or `value` has no marshal."""
    table = {}
    offset = 0
    for name, blob in blobs.items():
        table[name] = _SPAN.pack(offset, len(blob), zlib.crc32(blob))
        offset += len(blob)
    with suppress(OSError, ValueError):
        header = marshal.dumps((table, value))
        with replacing(path, mode=0o600, is_durable=False) as file:
            file.write(_MAGIC + _START.pack(key.encode(), len(header), _digest(header)) + header)
            file.write(b"".join(blobs.values()))


def _digest(raw: bytes) -> bytes:
    return hashlib.blake2b(raw, digest_size=16).digest()
