"""Large blobs of a registry, kept where the next run finds them when this one is killed.

A blob is received whole and verified before the first byte of it is given on.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import FileIO
from pathlib import Path

from envlock.errors import RegistryError
from envlock.registry.client import PIECE, Repository
from envlock.store.disk import store_errors
from envlock.store.partial_file import PartialFile, partial_file

LEAST_KEPT = 8 << 20
"""Smaller blobs are received anew, in bytes."""


def kept_blob(
    repository: Repository, digest: str, size: int, folder: Path, least: int = LEAST_KEPT
) -> Iterator[bytes]:
    """Yield the content of a blob of at least `least` bytes; `folder` keeps what was received.

    While another process receives the same blob, and for smaller ones, nothing is kept.  Raise
    RegistryError as `Repository.blob` does, StoreError when the folder cannot be written.
    """
    if size < least:
        yield from repository.blob(digest, size)
        return
    with store_errors(folder), partial_file(folder, digest) as part:
        if part is None:
            yield from repository.blob(digest, size)
            return
        receive(repository, digest, size, part)
        with part.path.open("rb") as stream:
            while piece := stream.read(PIECE):
                yield piece
        part.drop()


def receive(repository: Repository, digest: str, size: int, part: PartialFile) -> None:
    """Receive what a partial file lacks of a blob, and verify it.

    Where what was there does not belong to it, all of it is received anew, once.  Raise
    RegistryError, OSError.
    """
    is_older = part.size > 0
    try:
        _append(repository, digest, size, part)
    except RegistryError:
        if not is_older or part.size < size:
            raise
        part.begin("")
        _append(repository, digest, size, part)
    except OSError:  # the disk is full, and the part needs room
        part.drop()
        raise


def _append(repository: Repository, digest: str, size: int, part: PartialFile) -> None:
    with part.path.open("r+b", buffering=0) as sink:
        sink.truncate(min(part.size, size))
        received = iter(lambda: sink.read(PIECE), b"")
        for piece in repository.blob(digest, size, received):
            _write(sink, piece)


def _write(sink: FileIO, piece: bytes) -> None:
    left = memoryview(piece)
    while left:
        left = left[sink.write(left) :]
