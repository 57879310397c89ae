"""The local targets: this host, and a directory that holds a root file system."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing
from io import BufferedReader
from pathlib import Path

from envlock.errors import TargetError
from envlock.model.process import ProcessConfig
from envlock.model.stat import Hashes, StatKey
from envlock.model.text import sort_key, to_bytes
from envlock.model.tree import Entry, EntryType
from envlock.target.base import READ_LIMIT, Capability, Folder, ScanPlan
from envlock.target.hashpool import HashPool
from envlock.target.localwalk import Found, entry_of, found_in, list_again, sign, walk
from envlock.target.mounts import mounts_below
from envlock.target.probe import PROBES, run_probe
from envlock.target.walking import Listing

_LINK_LIMIT = 40
_CHUNK = 64 * 1024
_EMPTY = Hashes(
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "d41d8cd98f00b204e9800998ecf8427e",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
)


class LocalTarget:
    """A root directory of this machine; `host` when it is the machine's own."""

    is_streaming = False
    walks_first = False

    def __init__(self, root: Path, reference: str, *, is_host: bool) -> None:
        self.reference = reference
        self.capabilities = frozenset({Capability.FILES})
        if is_host:
            self.capabilities |= {Capability.ENVIRON, Capability.KERNEL}
        self._is_host = is_host
        self._root = str(root).rstrip("/")
        self._directories: dict[str, str] = {}
        self._listings: dict[str, Listing] = {}

    def preload(self, patterns: Iterable[str]) -> None:
        """Do nothing: everything is at hand."""

    def scan(self, plan: ScanPlan) -> Iterator[Entry]:
        """Walk the root; see `envlock.target.base.Target.scan`."""
        return self._scanned(walk(self._root, plan, self.mounts()), plan)

    def sign(self, plan: ScanPlan) -> dict[str, bytes]:
        """Look at every path; see `envlock.target.base.Rewalkable.sign`."""
        return sign(self._root, plan, self.mounts())

    def list_again(self, plan: ScanPlan, folders: Iterable[str]) -> dict[str, Folder]:
        """List directories; see `envlock.target.base.Rewalkable.list_again`."""
        found = list_again(self._root, plan, self.mounts(), folders)
        self._listings = {listing[0]: listing for listing in found}
        return {path: Folder(*listing[:4]) for path, listing in self._listings.items()}

    def scan_again(self, plan: ScanPlan, paths: Collection[str]) -> Iterator[Entry]:
        """Scan some paths; see `envlock.target.base.Rewalkable.scan_again`."""
        found = (
            found
            for listing in self._listings.values()
            for found in found_in(self._root, listing, plan)
            if found[0].path in paths
        )
        return self._scanned(found, plan)

    def mounts(self) -> Mapping[str, str]:
        """Return what is mounted below the root: path from it -> type of file system."""
        return mounts_below(self._root)

    def stat(self, path: str) -> Entry:
        """Return one path, its final link not followed."""
        real = self._root + self._real(path, follow=False) or "/"
        return entry_of(path, os.lstat(real), real)

    def names(self, path: str) -> tuple[str, ...]:
        """Return the sorted names in a directory."""
        real = self._real(path, follow=True)
        return tuple(sorted(os.listdir(self._root + real or "/"), key=sort_key))

    def read(self, path: str, limit: int = READ_LIMIT) -> bytes:
        """Return the content of a file of at most `limit` bytes."""
        content = bytearray()
        with self.open(path) as stream:
            if os.fstat(stream.fileno()).st_size > limit:
                raise OSError(errno.EFBIG, "too large", path)
            # The files of /proc/sys refuse to be read with a large buffer.
            while chunk := stream.read1(_CHUNK):
                content += chunk
                if len(content) > limit:
                    raise OSError(errno.EFBIG, "too large", path)
        return bytes(content)

    def open(self, path: str) -> BufferedReader:
        """Open a regular file; links are followed inside the root."""
        real = self._root + self._real(path, follow=True)
        descriptor = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISREG(mode):
            return os.fdopen(descriptor, "rb")
        os.close(descriptor)
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, "is a directory", path)
        raise OSError(errno.EINVAL, "not a regular file", path)

    def process(self) -> ProcessConfig | None:
        """Return the environment of this process on a host, None for a directory."""
        if Capability.ENVIRON not in self.capabilities:
            return None
        return ProcessConfig(environ=dict(os.environ), is_session=True)

    def probe(self, name: str) -> bytes | None:
        """Ask a library of this machine; None for a directory."""
        return run_probe(PROBES[name]) if self._is_host else None

    def close(self) -> None:
        """Do nothing."""

    def _scanned(self, found: Iterable[Found], plan: ScanPlan) -> Iterator[Entry]:
        links: dict[tuple[int, int], list[Entry]] = {}
        unknown: list[tuple[Entry, StatKey]] = []
        linked: list[Entry] = []
        with closing(HashPool(plan.jobs)) as pool:
            for entry, key, inode in found:
                if inode is not None:
                    names = links.setdefault(inode, [])
                    names.append(entry)
                    if len(names) > 1:
                        continue
                known = entry if key is None else _known(entry, key, plan)
                if known is None and key is not None:
                    unknown.append((entry, key))
                    pool.submit((to_bytes(self._root + entry.path), plan.second(entry.path)))
                if inode is not None:
                    linked.append(known or entry)
                else:
                    yield known or entry
            groups = {names[0].path: names for names in links.values()}
            for entry in linked:
                yield from _named(entry, groups[entry.path])
            plan.on_walked()
            for entry in _hashed(unknown, pool, plan):
                yield next(_named(entry, groups[entry.path])) if entry.path in groups else entry

    def _real(self, path: str, *, follow: bool) -> str:
        """Return `path` with links resolved inside the root; the last part only if `follow`."""
        if "\0" in path:
            raise FileNotFoundError(errno.ENOENT, "no file has such a name", path)
        directory, _, name = path.rstrip("/").rpartition("/")
        if directory not in self._directories:
            self._directories[directory] = self._resolve(directory)
        parent = self._directories[directory]
        if name in ("", ".", ".."):
            return self._resolve(path)
        real = f"{parent}/{name}"
        if follow and os.path.islink(self._root + real):
            return self._resolve(real)
        return real

    def _resolve(self, path: str) -> str:
        done = ""
        todo = [part for part in reversed(path.split("/")) if part]
        links = 0
        while todo:
            part = todo.pop()
            if part in (".", ".."):
                done = done.rpartition("/")[0] if part == ".." else done
                continue
            try:
                target = os.readlink(f"{self._root}{done}/{part}")
            except OSError as error:
                if error.errno not in (errno.EINVAL, errno.ENOENT, errno.ENOTDIR):
                    raise
                done = f"{done}/{part}"
                continue
            links += 1
            if links > _LINK_LIMIT:
                raise OSError(errno.ELOOP, "loop of symbolic links", path)
            if target.startswith("/"):
                done = ""
            todo.extend(piece for piece in reversed(target.split("/")) if piece)
        return done


def host() -> LocalTarget:
    """Return this machine as a target."""
    return LocalTarget(Path("/"), "host", is_host=True)


def directory(path: Path) -> LocalTarget:
    """Return the root file system in a directory.  Raise TargetError when there is none."""
    root = path.resolve()
    if not root.is_dir():
        raise TargetError("no such directory", where=str(path), hint="name a root file system")
    return LocalTarget(root, f"dir:{root}", is_host=False)


def _known(entry: Entry, key: StatKey, plan: ScanPlan) -> Entry | None:
    """Return a file that needs no reading, because it is empty or the cache knows it."""
    hashes = _EMPTY if not entry.size else plan.cache.get(key) if plan.cache else None
    if hashes is None or hashes.lacks(plan.second(entry.path)):
        return None
    plan.on_progress(1, entry.size)
    return Entry(*entry[:10], *hashes)


def _hashed(
    unknown: list[tuple[Entry, StatKey]], pool: HashPool, plan: ScanPlan
) -> Iterator[Entry]:
    """Yield the files that had to be read, with their digests; a gap for what could not be."""
    for (entry, key), result in zip(unknown, pool.results(), strict=True):
        if isinstance(result, str):
            if result != os.strerror(errno.ENOENT):
                plan.on_gap(entry.path, result)
            yield entry
            continue
        sha256, second, size, mtime_ns, ctime_ns = result
        hashes = Hashes.of(sha256, second)
        if plan.cache is not None:
            now = StatKey(*key[:3], size, mtime_ns, ctime_ns)
            plan.cache.put(now, hashes)
        plan.on_progress(1, size)
        yield Entry(*entry[:6], size, *entry[7:10], *hashes)


def _named(entry: Entry, names: list[Entry]) -> Iterator[Entry]:
    """Yield a file under the first of its names, in byte order, then the others as links to it."""
    first = min((name.path for name in names), key=sort_key)
    yield entry._replace(path=first)
    for name in names:
        if name.path != first:
            yield name._replace(type=EntryType.HARDLINK, target=first, size=0)
