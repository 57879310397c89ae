"""Content-addressed objects: staged, made durable together, then given their names.

Layout below the root (directories 0700, objects 0444)::

    objects/ab/<62 hex>        content whose SHA-256 is ab<62 hex>
    objects/ab/<62 hex>.zst    the same, zstd-compressed; the digest is of the uncompressed bytes
    tmp/<session>/             content that is not committed yet
    refs/                      the objects to keep (`envlock.store.refs`)
    cache/                     files that can be recreated; deleting them is always safe
    quarantine/                objects whose content did not match their digest
    statcache.sqlite           digests by stat data (`envlock.store.statcache`)
    lock                       flock(2): shared while a store is open, exclusive for collection

An object gets its name only in `Store.commit`, after its bytes are on the disk, so no crash can
leave a name without its content.  Before that, only the session that staged it sees it.  When a
process dies, the kernel releases its lock; the next process that has the store to itself deletes
what the dead one had staged, and its drafts.

An object that was verified has `SOUND_NS` as its time of modification.  Whatever writes to it
changes that, so the state of a file shows whether it must be read to trust it.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import io
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from envlock.errors import StoreError
from envlock.store.disk import flush, store_errors
from envlock.store.staging import ObjectWriter, Staging
from envlock.store.verified import PACKED, CorruptObjectError, VerifiedReader, read_packed
from envlock.writing import is_draft

__all__ = ["EMPTY", "SOUND_NS", "ObjectWriter", "Store"]

EMPTY = hashlib.sha256().hexdigest()
"""The digest of no bytes: the only object that may be empty."""

SOUND_NS = 10**18
"""The time of modification, in nanoseconds since 1970, of objects that nothing wrote to since they
were verified."""

_LEVEL = 1
"""The zstd level: twice as fast as the default for a tree object, and no larger."""
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_DIRECTORIES = ("objects", "tmp", "refs", "cache", "quarantine")
_CHUNK = 1024 * 1024
_FORMER_CACHES = ("layouts", "unpacked")
"""Caches of earlier versions, which nothing reads any more."""


class Store:
    """An open store.  Several threads may use it, and several processes may share the root.

    Every method raises StoreError when the disk is full, read-only or fails.
    """

    def __init__(self, root: Path, lock: int) -> None:
        self.root = root
        self._objects = str(root / "objects")
        self._lock = lock
        self._staging = Staging(root / "tmp")
        self._verified: set[str] = set()

    @classmethod
    def open(cls, root: Path, create: bool = True) -> Store:
        """Open the store at `root`; wait while another process collects garbage in it.

        Raise StoreError, unless `create`, when there is no store.
        """
        with store_errors(root):
            if create:
                for name in _DIRECTORIES:
                    _make_private(root / name)
            elif not (root / "objects").is_dir():
                raise StoreError(
                    "there is no store", where=str(root), hint="run `envlock capture` first"
                )
            store = cls(root, _open_lock(root / "lock"))
        with suppress(StoreError), store.exclusively():
            store.sweep()
        return store

    @property
    def cache(self) -> Path:
        """Return the directory for files that can be recreated, such as unpacked artifacts."""
        return self.root / "cache"

    @property
    def stat_cache(self) -> Path:
        """Return the path of the database of `envlock.store.statcache.StatCache`."""
        return self.root / "statcache.sqlite"

    def snapshot_path(self, name: str) -> Path:
        """Return the path of the snapshot that the next capture called `name` can start from."""
        return self.cache / f"capture-{hashlib.sha256(name.encode()).hexdigest()[:32]}"

    def put(self, content: bytes) -> str:
        """Stage `content`; return its SHA-256 in hex."""
        writer = self.writer()
        writer.write(content)
        return writer.close()

    def put_packed(self, *pieces: bytes | memoryview) -> str:
        """Stage content in compressed form; return the SHA-256 of the uncompressed `pieces`."""
        from concurrent.futures import ThreadPoolExecutor

        import zstandard

        with ThreadPoolExecutor(1) as executor:
            digest = executor.submit(digest_of, pieces)
            packer = zstandard.ZstdCompressor(level=_LEVEL, threads=-1)
            stream = packer.compressobj(size=sum(map(len, pieces)))
            packed = [*map(stream.compress, pieces), stream.flush()]
            sha256 = digest.result()
        if not self._is_stored(sha256):
            self._staging.save(sha256, b"".join(packed), PACKED)
        return sha256

    def put_stream(self, chunks: Iterable[bytes], expected: str | None = None) -> str:
        """Stage content from an iterator; return its SHA-256.

        Raise StoreError, and stage nothing, when that is not `expected`.
        """
        writer = self.writer()
        try:
            for chunk in chunks:
                writer.write(chunk)
        except BaseException:
            writer.abort()
            raise
        return writer.close(expected)

    def writer(self) -> ObjectWriter:
        """Return a writer for one object of any size."""
        return ObjectWriter(self._staging, self._is_stored)

    def has(self, sha256: str) -> bool:
        """True when the object exists; its content is verified when it is read."""
        return self._locate(sha256) is not None

    def holds(self, sha256: str, size: int) -> bool:
        """True when the object is staged, or stored uncompressed with this size in bytes.

        It is read only if something wrote to it; then a corrupt one is quarantined.
        """
        if self._staging.find(sha256) is not None:
            return True
        try:
            found = os.stat(f"{self._objects}/{sha256[:2]}/{sha256[2:]}")
        except OSError:
            return False
        if found.st_size != size:
            return False
        return found.st_mtime_ns == SOUND_NS or self._is_stored(sha256)

    def size(self, sha256: str) -> int:
        """Return the length of the content in bytes."""
        path = self._require(sha256)
        with store_errors(path):
            if path.suffix != PACKED:
                return path.stat().st_size
            with path.open("rb") as stream:
                return _unpacked_size(stream.read(32))

    def read(self, sha256: str) -> bytes:
        """Return the verified content; quarantine a corrupt object and raise StoreError."""
        path = self._require(sha256)
        if path.suffix == PACKED:
            content = read_packed(path)
            if hashlib.sha256(content).hexdigest() == sha256:
                return content
        with self._open(sha256, path) as stream:
            return stream.read()

    def stream(self, sha256: str) -> BinaryIO:
        """Return a stream that raises StoreError at its end when the content is corrupt.

        Nothing is verified before the end.  The stream cannot seek.
        """
        return self._open(sha256, self._require(sha256))

    def path(self, sha256: str) -> Path:
        """Return the file of an uncompressed object; the caller must verify its content."""
        path = self._require(sha256)
        if path.suffix == PACKED:
            raise StoreError("the object is stored compressed", where=f"sha256:{sha256}")
        return path

    def discard(self, sha256s: Iterable[str]) -> None:
        """Delete objects staged in this session; committed ones are not affected."""
        with store_errors(self.root):
            self._staging.drop(sha256s)

    def commit(self) -> None:
        """Make everything that is staged durable, then visible; `refs.set_ref` calls it first.

        No other thread may use the store meanwhile.
        """
        staged = self._staging.files()
        with store_errors(self.root):
            for path in staged.values():
                _mark_sound(path)
            flush(self.root, list(staged.values()))
            directories = {self.root / "objects"}
            for sha256, path in staged.items():
                final = self._committed(sha256, path.suffix)
                final.parent.mkdir(mode=0o700, exist_ok=True)
                # Another session may have stored it meanwhile; ours has the same content.
                path.rename(final)
                self._staging.forget(sha256)
                self._verified.add(sha256)
                directories.add(final.parent)
            flush(self.root, sorted(directories))

    def objects(self) -> Iterator[tuple[str, Path]]:
        """Yield the digest and path of every committed object, in byte order.

        The digest of a file that is no object is empty.
        """
        with store_errors(self.root):
            for parent in sorted((self.root / "objects").iterdir()):
                if not parent.is_dir():
                    yield "", parent
                    continue
                for path in sorted(parent.iterdir()):
                    sha256 = parent.name + path.name.removesuffix(PACKED)
                    yield (sha256 if _DIGEST.match(sha256) else ""), path

    def verify(self, sha256: str, path: Path) -> bool:
        """Read the whole file of an object; quarantine a corrupt one and return False."""
        try:
            with self._open(sha256, path) as stream:
                while stream.read(_CHUNK):
                    pass
        except CorruptObjectError:
            return False
        if path.stat().st_mtime_ns != SOUND_NS:
            with suppress(OSError):  # a store that can only be read
                _mark_sound(path)
        return True

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """Lock the store exclusively.  Raise StoreError at once if another process has it open."""
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            fcntl.flock(self._lock, fcntl.LOCK_SH)
            raise StoreError(
                "the store is in use by another envlock",
                where=str(self.root),
                hint="try again when that has ended",
            ) from error
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_SH)

    def sweep(self) -> None:
        """Delete the leftovers of dead processes.  Call it only inside `exclusively`."""
        with store_errors(self.root):
            self._staging.sweep()
            for directory in (self.root / "refs", self.cache, *self.cache.iterdir()):
                _delete_drafts(directory)
            for name in _FORMER_CACHES:
                shutil.rmtree(self.cache / name, ignore_errors=True)

    def close(self) -> None:
        """Delete what was not committed and release the lock.  May be called twice."""
        self._staging.clear()
        lock, self._lock = self._lock, -1
        if lock >= 0:
            os.close(lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _open(self, sha256: str, path: Path) -> BinaryIO:
        quarantined = self.root / "quarantine" / f"{sha256}{path.suffix}"
        with store_errors(path):
            return io.BufferedReader(VerifiedReader(sha256, path, quarantined), _CHUNK)

    def _committed(self, sha256: str, suffix: str = "") -> Path:
        return self.root / "objects" / sha256[:2] / f"{sha256[2:]}{suffix}"

    def _locate(self, sha256: str) -> Path | None:
        if not _DIGEST.match(sha256):
            return None
        staged = self._staging.find(sha256)
        if staged is not None:
            return staged
        for suffix in ("", PACKED):
            path = self._committed(sha256, suffix)
            try:
                size = path.stat().st_size
            except FileNotFoundError:
                continue
            except OSError as error:
                with store_errors(path):
                    raise error from None
            if size or sha256 == EMPTY:
                return path
        return None

    def _require(self, sha256: str) -> Path:
        path = self._locate(sha256)
        if path is None:
            raise StoreError(
                "the store lacks an object",
                where=f"sha256:{sha256}",
                hint="capture the environment again, or use the store of the machine that did",
            )
        return path

    def _is_stored(self, sha256: str) -> bool:
        """True when the object need not be written again: staged, or committed and verified once.

        The existence of a file proves nothing; a corrupt object is quarantined and written again.
        """
        path = self._locate(sha256)
        if path is None:
            return False
        if sha256 in self._verified or self._staging.find(sha256) is not None:
            return True
        if not self.verify(sha256, path):
            return False
        with suppress(OSError):
            _mark_sound(path)  # needed again: its grace period starts anew
        self._verified.add(sha256)
        return True


def digest_of(pieces: Iterable[bytes | memoryview]) -> str:
    """Return the SHA-256, in hex, of the concatenated pieces."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def _mark_sound(path: Path) -> None:
    """Record that the content of an object matches its digest; its ctime is now.  Raise OSError."""
    os.utime(path, ns=(SOUND_NS, SOUND_NS))


def _delete_drafts(directory: Path) -> None:
    """Delete what a dead process had not finished; a cache may have no such directory."""
    with suppress(NotADirectoryError, FileNotFoundError):
        for name in os.listdir(directory):
            if is_draft(name) or name.startswith(".fetch-"):
                path = directory / name
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)


def _unpacked_size(header: bytes) -> int:
    import zstandard

    return zstandard.frame_content_size(header)


def _make_private(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)


def _open_lock(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EROFS):
            raise
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
