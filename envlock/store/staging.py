"""Staging: the content that one session has not committed yet, in a directory of its own."""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from envlock.errors import StoreError
from envlock.store.disk import store_errors
from envlock.writing import end_with_holes, write_with_holes

_SPILL = 1024 * 1024
"""Content up to this size stays in memory until its digest shows whether it is new."""


class Staging:
    """Files below `tmp`, by the digest of their content.  Several threads may use it."""

    def __init__(self, tmp: Path) -> None:
        self.tmp = tmp
        self._guard = threading.Lock()
        self._session: Path | None = None
        self._numbers = itertools.count()
        self._files: dict[str, Path] = {}

    def create(self, suffix: str = "") -> BinaryIO:
        """Return a new file, open for writing, with mode 0444.  Raise OSError."""
        with self._guard:
            if self._session is None:
                session = self.tmp / os.urandom(8).hex()
                session.mkdir(mode=0o700)
                self._session = session
            path = self._session / f"{next(self._numbers)}{suffix}"
        return open(path, "xb", opener=_create_read_only)

    def save(self, sha256: str, content: bytes | bytearray, suffix: str = "") -> None:
        """Write a file and add it.  Raise StoreError, and leave no file, when that fails."""
        with store_errors(self.tmp):
            stream = self.create(suffix)
            try:
                with stream:
                    stream.write(content)
            except BaseException:
                os.unlink(stream.name)
                raise
        self.add(sha256, Path(stream.name))

    def add(self, sha256: str, path: Path) -> None:
        """Add a complete file; delete it when the content is staged already."""
        with self._guard:
            kept = self._files.setdefault(sha256, path)
        if kept is not path:
            path.unlink()

    def find(self, sha256: str) -> Path | None:
        """Return the file staged for a digest, or None."""
        return self._files.get(sha256)

    def drop(self, sha256s: Iterable[str]) -> None:
        """Delete the files staged for these digests.  Raise OSError."""
        for sha256 in sha256s:
            path = self._files.pop(sha256, None)
            if path is not None:
                path.unlink(missing_ok=True)

    def forget(self, sha256: str) -> None:
        """Remove a file from the table: it was moved."""
        del self._files[sha256]

    def files(self) -> Mapping[str, Path]:
        """Return the files staged now, by digest."""
        with self._guard:
            return dict(self._files)

    def sweep(self) -> None:
        """Delete the directories of all other sessions.  Raise OSError."""
        for path in self.tmp.iterdir():
            if path.is_dir() and path != self._session:
                shutil.rmtree(path, ignore_errors=True)

    def clear(self) -> None:
        """Delete the directory of this session."""
        session = self._session
        try:
            self._delete(session)
        except KeyboardInterrupt:  # it may have met the deletion half-way
            self._delete(session)
            raise

    def _delete(self, session: Path | None) -> None:
        with self._guard:
            self._files.clear()
            self._session = None
        if session is not None:
            shutil.rmtree(session, ignore_errors=True)


def _create_read_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o444)


class ObjectWriter:
    """Hashes and writes the content of one object; implements `ContentWriter` of the targets.

    `close` stages it, `abort` discards it; after an error in `write` it is discarded.  `is_stored`
    says whether the store has the content of a digest already.
    """

    def __init__(self, staging: Staging, is_stored: Callable[[str], bool]) -> None:
        self._staging = staging
        self._is_stored = is_stored
        self._digest = hashlib.sha256()
        self._buffer = bytearray()
        self._file: BinaryIO | None = None

    def write(self, chunk: bytes) -> int:
        """Write the next bytes.  Raise StoreError when that fails."""
        self._digest.update(chunk)
        if self._file is None and len(self._buffer) + len(chunk) <= _SPILL:
            self._buffer += chunk
        else:
            self._spill(chunk)
        return len(chunk)

    def close(self, expected: str | None = None) -> str:
        """Stage the object unless it is stored already; return its SHA-256 in hex.

        Raise StoreError, and stage nothing, when that is not `expected`.
        """
        sha256 = self._digest.hexdigest()
        if expected is not None and sha256 != expected:
            self.abort()
            raise StoreError(
                f"the content has another digest: sha256:{sha256}", where=f"sha256:{expected}"
            )
        if self._is_stored(sha256):
            self.abort()
        elif self._file is None:
            self._staging.save(sha256, self._buffer)
        else:
            self._finish(sha256, self._file)
        return sha256

    def abort(self) -> None:
        """Discard what was written.  May be called twice, and after `close`."""
        self._buffer.clear()
        stream, self._file = self._file, None
        if stream is not None:
            # Closing flushes the buffer, which fails again on a full disk.
            with suppress(OSError):
                stream.close()
            with suppress(OSError):
                os.unlink(stream.name)

    def _spill(self, chunk: bytes) -> None:
        try:
            with store_errors(self._staging.tmp):
                if self._file is None:
                    self._file = self._staging.create()
                    write_with_holes(self._file, self._buffer)
                    self._buffer.clear()
                write_with_holes(self._file, chunk)
        except StoreError:
            self.abort()
            raise

    def _finish(self, sha256: str, stream: BinaryIO) -> None:
        try:
            with store_errors(self._staging.tmp):
                end_with_holes(stream)
                stream.close()
        except StoreError:
            self.abort()
            raise
        self._file = None
        self._staging.add(sha256, Path(stream.name))
