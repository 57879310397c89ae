"""The local targets: this host, and a root file system in a directory."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from envlock.errors import TargetError
from envlock.model.process import ProcessConfig
from envlock.model.stat import StatKey
from envlock.model.text import sort_key
from envlock.model.tree import Entry, EntryType
from envlock.targets.base import READ_LIMIT, Capability, ScanPlan
from envlock.targets.folder import Folder
from envlock.targets.local.beneath import Beneath, path_of
from envlock.targets.local.digests import FileDigests
from envlock.targets.local.hash_pool import HashPool
from envlock.targets.local.prefetch import Prefetcher
from envlock.targets.local.probe import PROBES, run_probe
from envlock.targets.local.walk import entry_of, list_directories, walk
from envlock.targets.local.walk import signatures as walk_signatures
from envlock.targets.mounts import mounts_below

_LINK_LIMIT = 40
_CHUNK = 64 * 1024
_COERCED = ("C.UTF-8", "C.utf8", "UTF-8")


class LocalTarget:
    """A root file system on this machine; `is_host` when it is the machine's own root."""

    is_streaming = False
    walks_before_reading = False

    def __init__(self, root: Path, reference: str, *, is_host: bool) -> None:
        self.reference = reference
        self.capabilities = frozenset({Capability.FILES})
        if is_host:
            self.capabilities |= {Capability.ENVIRON, Capability.KERNEL}
        self._is_host = is_host
        self._root = str(root).rstrip("/")
        self._real_directories: dict[str, str] = {"": ""}
        self._walking: Prefetcher[Folder] | None = None
        self._folders: dict[str, Folder] = {}
        self._beneath: Beneath | None = None
        self._lock = Lock()

    def preload(self, patterns: Iterable[str]) -> None:
        """Do nothing: files of this machine are read directly."""

    def scan(self, plan: ScanPlan) -> Iterator[Entry]:
        """Walk the root; see `envlock.targets.base.Target.scan`."""
        return _single_entries(self.walk(plan))

    def walk(self, plan: ScanPlan) -> Iterator[Entry | Folder]:
        """Walk the root; see `envlock.targets.base.IncrementalTarget.walk`."""
        # The walk starts now, so that it runs while the caller does something else.
        self._walking = Prefetcher(walk(self._root, plan, self._not_entered()))
        return self._entries(self._walking, plan)

    def _entries(self, folders: Prefetcher[Folder], plan: ScanPlan) -> Iterator[Entry | Folder]:
        real = self._root or "/"
        with closing(folders):
            yield entry_of("/", os.lstat(real), real)
            yield from self._with_files(folders, plan)

    def signatures(self, plan: ScanPlan) -> dict[str, bytes]:
        """Stat every path; see `envlock.targets.base.IncrementalTarget.signatures`."""
        return walk_signatures(self._root, plan, self._not_entered())

    def list_directories(self, plan: ScanPlan, folders: Iterable[str]) -> dict[str, Folder]:
        """List directories; see `envlock.targets.base.IncrementalTarget.list_directories`."""
        found = list_directories(self._root, plan, self._not_entered(), folders)
        self._folders = {folder.path: folder for folder in found}
        return self._folders

    def scan_paths(self, plan: ScanPlan, paths: Collection[str]) -> Iterator[Entry]:
        """Scan some paths; see `envlock.targets.base.IncrementalTarget.scan_paths`."""
        found = _single_entries(self._with_files(self._folders.values(), plan, paths))
        return (entry for entry in found if entry.path in paths)

    def mounts(self) -> Mapping[str, str]:
        """Return the mounts below the root: path from the root -> type of file system."""
        return mounts_below(self._root)

    def _not_entered(self) -> Mapping[str, str]:
        """Return the mounts that a walk does not enter, as `mounts` does."""
        return self.mounts()

    def stat(self, path: str) -> Entry:
        """Return one path, its final link not followed."""
        real = self._real(path, follow=False)
        with self._directory_of(real) as (directory, name):
            here = f"{directory}/{name}"
            return entry_of(path, os.lstat(here), here)

    def names(self, path: str) -> tuple[str, ...]:
        """Return the sorted names in a directory."""
        real = self._real(path, follow=True)
        with self._directory_of(f"{real}/.") as (directory, _):
            return tuple(sorted(os.listdir(directory), key=sort_key))

    def read(self, path: str, limit: int = READ_LIMIT) -> bytes:
        """Return the content of a file of at most `limit` bytes."""
        content = bytearray()
        with self.open(path) as stream:
            if os.fstat(stream.fileno()).st_size > limit:
                raise OSError(errno.EFBIG, "too large", path)
            # Files in /proc/sys cannot be read with a large buffer.
            while chunk := stream.read1(_CHUNK):
                content += chunk
                if len(content) > limit:
                    raise OSError(errno.EFBIG, "too large", path)
        return bytes(content)

    def open(self, path: str) -> BufferedReader:
        """Open a regular file; links are followed inside the root."""
        real = self._real(path, follow=True)
        with self._directory_of(real) as (directory, name):
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(f"{directory}/{name}", flags)
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
        return ProcessConfig(environ=_environ(), is_session=True)

    def probe(self, name: str) -> bytes | None:
        """Run a probe on this machine; None for a directory."""
        return run_probe(PROBES[name]) if self._is_host else None

    def programs(self) -> frozenset[str] | None:
        """Return the programs that run on this machine; None for a directory."""
        return frozenset(_programs()) if self._is_host else None

    def close(self) -> None:
        """Stop a walk that was not consumed, and close every directory."""
        if self._walking is not None:
            self._walking.close()
        if self._beneath is not None:
            self._beneath.close()
            self._beneath = None

    def _with_files(
        self, folders: Iterable[Folder], plan: ScanPlan, paths: Collection[str] | None = None
    ) -> Iterator[Entry | Folder]:
        """Yield the folders, and entries of the files with digests or with several names.

        With `paths`, only the content of these is read.
        """
        links: dict[tuple[int, int], list[_Name]] = {}
        with closing(HashPool(self._root, plan.jobs)) as pool:
            digests = FileDigests(plan, pool)
            for folder in folders:
                for at, key in folder.files_to_read():
                    if paths is None or key.path in paths:
                        file = digests.find(folder, at, key, plan.second_algorithm(key.path))
                        if file is not None:
                            yield file
                for at, key, is_selected in folder.hard_links():
                    is_read = is_selected and (paths is None or key.path in paths)
                    names = links.setdefault((key.dev, key.ino), [])
                    names.append(_Name(folder, at, key, is_read))
                yield folder
            for names in links.values():
                yield from _linked_entries(sorted(names, key=_by_path), digests, plan)
            plan.on_walk_finished()
            yield from digests.results()

    @contextmanager
    def _directory_of(self, real: str) -> Iterator[tuple[str, str]]:
        """Give a path to the open directory that a real path lies in, and its name there.

        Raise OSError when a directory on the way was replaced by a link.
        """
        parent, _, name = real.rpartition("/")
        with self._lock:
            if self._beneath is None:
                self._beneath = Beneath(self._root)
            yield path_of(self._beneath.directory(parent)), name or "."

    def _real(self, path: str, *, follow: bool) -> str:
        """Return `path` with links resolved inside the root, the last one only with `follow`."""
        if "\0" in path:
            raise FileNotFoundError(errno.ENOENT, "no file has such a name", path)
        directory, _, name = path.rstrip("/").rpartition("/")
        parent = self._real_directories.get(directory)
        if parent is None:
            # The parent was mostly asked for before, so that one step is left to resolve.
            if directory.rpartition("/")[0] in self._real_directories:
                parent = self._real(directory, follow=True)
            else:
                parent = self._resolve(directory)
            self._real_directories[directory] = parent
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


def directory(path: str | Path) -> LocalTarget:
    """Return the root file system in a directory.  Raise TargetError when there is none."""
    root = Path(os.path.realpath(path))  # resolve() raises RuntimeError in a loop of links
    if not root.is_dir():
        raise TargetError("no such directory", where=str(path), hint="name a root file system")
    return LocalTarget(root, f"dir:{root}", is_host=False)


def _programs() -> Iterator[str]:
    """Yield the names of the processes that can be seen."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            yield Path(f"/proc/{pid}/comm").read_text(errors="surrogateescape").rstrip("\n")


class _Name(NamedTuple):
    """One name of a file that has several: its folder, position and key, and if it is read."""

    folder: Folder
    at: int
    key: StatKey
    is_read: bool


def _by_path(name: _Name) -> bytes:
    return sort_key(name.key.path)


def _linked_entries(names: list[_Name], digests: FileDigests, plan: ScanPlan) -> Iterator[Entry]:
    """Yield a file by the first of its names, then the other names as hard links to it.

    It is read when that is wanted for any of its names.
    """
    folder, at, key, _ = names[0]
    file = None
    if any(name.is_read for name in names):
        second = next(filter(None, (plan.second_algorithm(name.key.path) for name in names)), "")
        file = digests.find(folder, at, key, second)
    yield file or folder.entry_at(at)
    for other in names[1:]:
        entry = other.folder.entry_at(other.at)
        yield entry._replace(type=EntryType.HARDLINK, target=key.path, size=0)


def _environ() -> dict[str, str]:
    """Return the environment without the locale that Python itself sets at its start (PEP 538)."""
    environ = dict(os.environ)
    if environ.get("LC_CTYPE") in _COERCED:
        try:
            with open("/proc/self/environ", "rb") as file:
                given = file.read().split(b"\0")
        except OSError:
            return environ
        if not any(pair.startswith(b"LC_CTYPE=") for pair in given):
            del environ["LC_CTYPE"]
    return environ


def _single_entries(found: Iterable[Entry | Folder]) -> Iterator[Entry]:
    """Yield an entry for every path: those of a folder that were not yielded before it."""
    done: set[str] = set()
    for each in found:
        if isinstance(each, Folder):
            done.update(key.path for _, key, _ in each.hard_links())
            yield from (entry for entry in each.entries({}) if entry.path not in done)
            done.clear()
        else:
            done.add(each.path)
            yield each
