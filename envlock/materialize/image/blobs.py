"""Files named by their digest: hashed while they are written, renamed when they are complete."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from envlock.writing import end_with_holes, write_with_holes

_CHUNK = 1024 * 1024


class Blob(NamedTuple):
    """The digest of some content, ``sha256:<hex>``, and its length in bytes."""

    digest: str
    size: int


class Readable(Protocol):
    """A stream that can be read."""

    def read(self, size: int, /) -> bytes:
        """Return at most so many bytes, none at the end."""


def write_blob(directory: Path, chunks: Iterable[bytes]) -> Blob:
    """Write `chunks` into `directory`, under the hex digits of their digest.  Raise OSError."""
    draft = _draft(directory)
    try:
        blob = _digest(_saving(chunks, draft))
        draft.rename(directory / blob.digest.removeprefix("sha256:"))
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return blob


def reuse_blob(directory: Path, source: Path, is_right: Callable[[Readable], bool]) -> Blob | None:
    """Link or copy the file `source` into `directory`, under the hex digits of its digest.

    It is read once, by `is_right`, which must read to the end.  Return None when that returns
    False, or when it lies in `directory` under another name.  Raise OSError.
    """
    is_here = source.parent == directory
    draft = _draft(directory)
    try:
        with ExitStack() as opened:
            reading = _Reading(opened.enter_context(source.open("rb")))
            if not is_here and not _is_linked(source, draft):
                reading.copy = opened.enter_context(draft.open("xb"))
            if not is_right(reading):
                return None
            if reading.copy is not None:
                end_with_holes(reading.copy)
                os.fsync(reading.copy.fileno())
        blob = reading.blob
        path = directory / blob.digest.removeprefix("sha256:")
        if is_here:
            return blob if path == source else None
        draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)
    return blob


class _Reading:
    """Hashes what is read from a stream, and writes it to `copy` if there is one."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()
        self._size = 0
        self.copy: BinaryIO | None = None

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""
        chunk = self._stream.read(size)
        self._digest.update(chunk)
        self._size += len(chunk)
        if self.copy is not None:
            write_with_holes(self.copy, chunk)
        return chunk

    @property
    def blob(self) -> Blob:
        """What was read."""
        return Blob(f"sha256:{self._digest.hexdigest()}", self._size)


def _is_linked(source: Path, draft: Path) -> bool:
    try:
        os.link(source, draft)
    except OSError:
        return False
    return True


def read_file(path: Path) -> Iterator[bytes]:
    """Yield the content of a file in pieces of at most 1 MiB.  Raise OSError."""
    with path.open("rb", buffering=0) as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def _draft(directory: Path) -> Path:
    return directory / f".{secrets.token_hex(8)}"


def _digest(chunks: Iterable[bytes]) -> Blob:
    digest = hashlib.sha256()
    size = 0
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
    return Blob(f"sha256:{digest.hexdigest()}", size)


def _saving(chunks: Iterable[bytes], draft: Path) -> Iterator[bytes]:
    """Yield `chunks` while writing them to a new file, which is durable after the last one."""
    with draft.open("xb") as stream:
        for chunk in chunks:
            write_with_holes(stream, chunk)
            yield chunk
        end_with_holes(stream)
        os.fsync(stream.fileno())
