"""Files named by their digest: hashed while they are written, renamed when they are complete."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from envlock.writing import end_with_holes, write_with_holes

_CHUNK = 1024 * 1024


class Blob(NamedTuple):
    """The digest of some content, ``sha256:<hex>``, and its length in bytes."""

    digest: str
    size: int


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


def reuse_blob(directory: Path, source: Path) -> Blob | None:
    """Link or copy the blob `source` into `directory`, and hash it.

    Return None when its bytes do not match its name.  Raise OSError.
    """
    expected = f"sha256:{source.name}"
    if source.parent == directory:
        blob = _digest(read_file(source))
        return blob if blob.digest == expected else None
    draft = _draft(directory)
    try:
        with contextlib.suppress(OSError):
            os.link(source, draft)
        chunks = read_file(source)
        blob = _digest(chunks if draft.exists() else _saving(chunks, draft))
        if blob.digest != expected:
            return None
        draft.rename(directory / source.name)
    finally:
        draft.unlink(missing_ok=True)
    return blob


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
