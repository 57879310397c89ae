"""Content-addressed objects: written aside, made durable together, then named.

Layout below the root (directories 0700, objects 0444)::

    objects/ab/<62 hex>        content whose SHA-256 is ab<62 hex>
    objects/ab/<62 hex>.zst    the same, zstd-compressed; the digest is of the uncompressed bytes
    tmp/<session>/             content not committed yet
    refs/                      what must be kept (`envlock.store.refs`)
    cache/                     files that can be made again, each free to delete
    quarantine/                objects whose bytes were not what their name says
    statcache.sqlite           digests by stat data (`envlock.store.statcache`)
    lock                       flock(2): shared while a store is open, exclusive for collection

An object gets its name only in `Store.commit`, after its bytes are on the disk, so a name never
stands for bytes that a crash can lose.  Before, only this session sees it.  The kernel drops the
lock of a process that dies; what such a process had staged is swept by the next one to find
itself alone.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import io
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from envlock.errors import StoreError
from envlock.store.disk import flush, storing
from envlock.store.staging import ObjectWriter, Staging
from envlock.store.verified import PACKED, CorruptObjectError, Verified, unpacked

__all__ = ["EMPTY", "ObjectWriter", "Store"]

EMPTY = hashlib.sha256().hexdigest()
"""The digest of no bytes: the only object that may be empty."""

_LEVEL = 1
"""Of zstd: twice as quick as the default for a file tree, and no larger."""
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_DIRECTORIES = ("objects", "tmp", "refs", "cache", "quarantine")
_CHUNK = 1024 * 1024


class Store:
    """One open store.  Safe to use from several threads; several processes may share the root.

    Every method raises StoreError when the disk is full, refuses, or fails.
    """

    def __init__(self, root: Path, lock: int) -> None:
        self.root = root
        self._objects = str(root / "objects")
        self._lock = lock
        self._staging = Staging(root / "tmp")
        self._verified: set[str] = set()

    @classmethod
    def open(cls, root: Path, create: bool = True) -> Store:
        """Open the store at `root`, waiting while another process collects garbage in it."""
        with storing(root):
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
        """A directory for what can be made again, such as unpacked artifacts."""
        return self.root / "cache"

    @property
    def stat_cache(self) -> Path:
        """Where `envlock.store.statcache.StatCache` keeps its rows."""
        return self.root / "statcache.sqlite"

    def snapshot(self, name: str) -> Path:
        """Return the `envlock.store.blob_file` that a capture called `name` leaves for the next."""
        return self.cache / f"capture-{hashlib.sha256(name.encode()).hexdigest()[:32]}"

    def put(self, content: bytes) -> str:
        """Stage `content`; return its SHA-256 in hex."""
        writer = self.writer()
        writer.write(content)
        return writer.close()

    def put_packed(self, *pieces: bytes | memoryview) -> str:
        """Stage content, given in pieces, compressed; return the SHA-256 of it as given."""
        from concurrent.futures import ThreadPoolExecutor

        import zstandard

        with ThreadPoolExecutor(1) as beside:
            digest = beside.submit(digest_of, pieces)
            packer = zstandard.ZstdCompressor(level=_LEVEL, threads=-1)
            stream = packer.compressobj(size=sum(map(len, pieces)))
            packed = [*map(stream.compress, pieces), stream.flush()]
            sha256 = digest.result()
        if not self._knows(sha256):
            self._staging.save(sha256, b"".join(packed), PACKED)
        return sha256

    def put_stream(self, chunks: Iterable[bytes], expected: str | None = None) -> str:
        """Stage content as it comes; return its SHA-256.

        Raise StoreError, keeping nothing, when it is not `expected`.
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
        return ObjectWriter(self._staging, self._knows)

    def has(self, sha256: str) -> bool:
        """True when the object is here; its bytes are verified when they are read."""
        return self._locate(sha256) is not None

    def holds(self, sha256: str, size: int) -> bool:
        """True when the object is here, plain and of this many bytes."""
        if self._staging.find(sha256) is not None:
            return True
        try:
            return os.stat(f"{self._objects}/{sha256[:2]}/{sha256[2:]}").st_size == size
        except OSError:
            return False

    def size(self, sha256: str) -> int:
        """Return the length of the content in bytes."""
        path = self._require(sha256)
        with storing(path):
            if path.suffix != PACKED:
                return path.stat().st_size
            with path.open("rb") as stream:
                return _unpacked_size(stream.read(32))

    def read(self, sha256: str) -> bytes:
        """Return the content, verified; a corrupt object is quarantined and StoreError raised."""
        path = self._require(sha256)
        if path.suffix == PACKED:
            content = unpacked(path)
            if hashlib.sha256(content).hexdigest() == sha256:
                return content
        with self._open(sha256, path) as stream:
            return stream.read()

    def stream(self, sha256: str) -> BinaryIO:
        """Return a stream that ends in StoreError when the bytes read were not the object's.

        Nothing is verified before the end is reached.  The stream cannot seek.
        """
        return self._open(sha256, self._require(sha256))

    def path(self, sha256: str) -> Path:
        """Return the file of an object stored plain; its bytes are the caller's to verify."""
        path = self._require(sha256)
        if path.suffix == PACKED:
            raise StoreError("the object is stored compressed", where=f"sha256:{sha256}")
        return path

    def discard(self, sha256s: Iterable[str]) -> None:
        """Forget objects staged in this session; committed ones are not touched."""
        with storing(self.root):
            self._staging.drop(sha256s)

    def commit(self) -> None:
        """Make everything staged durable, then visible.  Call it before `refs.set_ref`.

        No other thread may use the store meanwhile.
        """
        staged = self._staging.files()
        with storing(self.root):
            flush(self.root, list(staged.values()))
            directories = {self.root / "objects"}
            for sha256, path in staged.items():
                final = self._committed(sha256, path.suffix)
                final.parent.mkdir(mode=0o700, exist_ok=True)
                # Over a name that another session made meanwhile: the same bytes, verified.
                path.rename(final)
                self._staging.moved(sha256)
                self._verified.add(sha256)
                directories.add(final.parent)
            flush(self.root, sorted(directories))

    def objects(self) -> Iterator[tuple[str, Path]]:
        """Yield the digest and file of every committed object, in byte order.

        The digest of a file that has no business there is empty.
        """
        with storing(self.root):
            for parent in sorted((self.root / "objects").iterdir()):
                if not parent.is_dir():
                    yield "", parent
                    continue
                for path in sorted(parent.iterdir()):
                    sha256 = parent.name + path.name.removesuffix(PACKED)
                    yield (sha256 if _DIGEST.match(sha256) else ""), path

    def verify(self, sha256: str, path: Path) -> bool:
        """Read the file of an object through; a corrupt one is quarantined and False returned."""
        try:
            with self._open(sha256, path) as stream:
                while stream.read(_CHUNK):
                    pass
        except CorruptObjectError:
            return False
        return True

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """Hold the store alone.  Raise StoreError at once when another process has it open."""
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            fcntl.flock(self._lock, fcntl.LOCK_SH)
            raise StoreError(
                "the store is in use by another envlock",
                where=str(self.root),
                hint="try again when it is done",
            ) from error
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_SH)

    def sweep(self) -> None:
        """Delete what dead sessions left behind.  Only while the store is held exclusively."""
        with storing(self.root):
            self._staging.sweep()

    def close(self) -> None:
        """Drop what was not committed and let go of the store.  May be called twice."""
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
        with storing(path):
            return io.BufferedReader(Verified(sha256, path, quarantined), _CHUNK)

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
                with storing(path):
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
                hint="capture the environment again, or pull or unbundle its lock",
            )
        return path

    def _knows(self, sha256: str) -> bool:
        """True when the object need not be written: staged, or here with its bytes verified once.

        An existing name alone is not believed; a corrupt object is quarantined and written anew.
        """
        path = self._locate(sha256)
        if path is None:
            return False
        if sha256 in self._verified or self._staging.find(sha256) is not None:
            return True
        if not self.verify(sha256, path):
            return False
        with suppress(OSError):
            os.utime(path)  # needed again: young to the grace period of the collection
        self._verified.add(sha256)
        return True


def digest_of(pieces: Iterable[bytes | memoryview]) -> str:
    """Return the SHA-256, in hex, of the pieces one after the other."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


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
