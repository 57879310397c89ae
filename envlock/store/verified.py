"""Reading an object: its bytes are hashed on the way and judged at the end."""

from __future__ import annotations

import hashlib
import io
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Never, Protocol

from envlock.errors import StoreError
from envlock.store.disk import storing

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PACKED = ".zst"
"""Suffix of an object stored zstd-compressed."""


class CorruptObjectError(StoreError):
    """The bytes of an object are not what its name says."""


class _Source(Protocol):
    def read(self, size: int, /) -> bytes | None: ...


class Verified(io.RawIOBase):
    """The content of the object `sha256` in the file at `path`, forward only.

    At the end, when the bytes were not the object's, move the file to `quarantined` (if that can
    be done) and raise CorruptObjectError.
    """

    def __init__(self, sha256: str, path: Path, quarantined: Path) -> None:
        self._sha256 = sha256
        self._path = path
        self._quarantined = quarantined
        self._digest = hashlib.sha256()
        self._file = path.open("rb", buffering=0)
        self._source: _Source = _Unpacked(self._file) if path.suffix == PACKED else self._file

    def readable(self) -> bool:
        """True: that is all it is."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read the next bytes; 0 at the verified end."""
        view = memoryview(buffer).cast("B")
        with storing(self._path):
            chunk = self._source.read(len(view)) or b""
        self._digest.update(chunk)
        if not chunk and self._digest.hexdigest() != self._sha256:
            self._condemn()
        view[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        """Close the file.  May be called twice."""
        self._file.close()
        super().close()

    def _condemn(self) -> Never:
        with suppress(OSError):
            self._path.rename(self._quarantined)
        raise CorruptObjectError(
            "an object of the store is corrupt",
            where=f"sha256:{self._sha256}",
            hint="it was put into quarantine; `envlock store check` names the locks that need it",
        )


class _Unpacked:
    """Decompressed bytes; damage reads as an early end, which the digest then tells."""

    def __init__(self, file: io.FileIO) -> None:
        import zstandard

        self._reader = zstandard.ZstdDecompressor().stream_reader(file)
        self._damage = zstandard.ZstdError

    def read(self, size: int, /) -> bytes:
        try:
            return self._reader.read(size)
        except self._damage:
            return b""


def unpacked(path: Path) -> bytes:
    """Return the content of a compressed object in one step; nothing when it is damaged."""
    import zstandard

    with storing(path):
        packed = path.read_bytes()
    try:
        return zstandard.ZstdDecompressor().decompress(packed)
    except zstandard.ZstdError:
        return b""
