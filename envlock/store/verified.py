"""Read objects: their content is hashed while it is read, and verified at the end."""

from __future__ import annotations

import hashlib
import io
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Never, Protocol

from envlock.errors import StoreError
from envlock.reading import open_file, read_file
from envlock.store.disk import store_errors

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PACKED = ".zst"
"""Suffix of an object stored zstd-compressed."""
_PACKED_LIMIT = 1 << 30
_UNPACKED_LIMIT = 4 << 30
"""The largest tree object, in bytes: that of some twenty million files."""


class CorruptObjectError(StoreError):
    """The content of an object does not match its digest."""


class _Source(Protocol):
    def read(self, size: int, /) -> bytes | None: ...


class VerifiedReader(io.RawIOBase):
    """The content of the object `sha256` in the file at `path`; it cannot seek.

    At the end of corrupt content it moves the file to `quarantined`, if possible, and raises
    CorruptObjectError.
    """

    def __init__(self, sha256: str, path: Path, quarantined: Path) -> None:
        self._sha256 = sha256
        self._path = path
        self._quarantined = quarantined
        self._digest = hashlib.sha256()
        self._file = open_file(path)
        self._source: _Source = _Decompressed(self._file) if path.suffix == PACKED else self._file

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read the next bytes into `buffer`; return their number, 0 at the verified end."""
        view = memoryview(buffer).cast("B")
        with store_errors(self._path):
            chunk = self._source.read(len(view)) or b""
        self._digest.update(chunk)
        if not chunk and self._digest.hexdigest() != self._sha256:
            self._quarantine()
        view[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        """Close the file.  May be called twice."""
        self._file.close()
        super().close()

    def _quarantine(self) -> Never:
        with suppress(OSError):
            self._path.rename(self._quarantined)
        raise CorruptObjectError(
            "an object of the store is corrupt",
            where=f"sha256:{self._sha256}",
            hint="it was set aside: capture the environment again, which stores it anew;"
            " `envlock store check` names the locks that need it",
        )


class _Decompressed:
    """Decompressed bytes; damage looks like an early end, so the digest does not match."""

    def __init__(self, file: io.FileIO) -> None:
        import zstandard

        self._reader = zstandard.ZstdDecompressor().stream_reader(file)
        self._damage = zstandard.ZstdError

    def read(self, size: int, /) -> bytes:
        try:
            return self._reader.read(size)
        except self._damage:
            return b""


def read_packed(path: Path) -> bytes:
    """Return the whole content of a compressed object, or nothing when it is damaged."""
    import zstandard

    with store_errors(path):
        packed = read_file(path, _PACKED_LIMIT)
    try:
        if zstandard.frame_content_size(packed) > _UNPACKED_LIMIT:
            return b""
        return zstandard.ZstdDecompressor().decompress(packed)
    except zstandard.ZstdError:
        return b""
