"""The `Target` protocol and the values that cross it.

A target is read-only.  Paths are text (surrogateescape), absolute from the target's root; symbolic
links in a path are followed *inside* the root and never lead out of it.  Methods raise the builtin
errors that a caller can act on (`FileNotFoundError`, `PermissionError`, `IsADirectoryError`,
`OSError`), or `envlock.errors.TargetError` when the whole target stopped responding.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, NamedTuple, Protocol, runtime_checkable

from envlock.model.glob import EVERYTHING, GlobSet
from envlock.model.process import ProcessConfig
from envlock.model.stat import Hashes, StatKey
from envlock.model.tree import Entry
from envlock.targets.folder import Folder

__all__ = [
    "IGNORED",
    "READ_LIMIT",
    "Capability",
    "ContentWatcher",
    "ContentWriter",
    "FixedTarget",
    "HasSlowerWay",
    "HashCache",
    "Hashes",
    "IncrementalTarget",
    "PathSet",
    "ScanPlan",
    "StatKey",
    "Target",
    "parse_environ",
]

IGNORED = "ignored by configuration"
"""Reason of the gap for a path that the configuration ignores."""

READ_LIMIT = 64 * 1024 * 1024
"""Largest file, in bytes, that `Target.read` returns: a gigabyte of expected text is a gap."""


class Capability(StrEnum):
    """What can be read from a target."""

    FILES = "files"
    """It has a file tree: scan, stat, names, read."""
    ENVIRON = "environ"
    """It has environment variables and a run configuration."""
    KERNEL = "kernel"
    """Its /proc and /sys describe the machine the environment runs on."""
    EXEC = "exec"
    """Commands can be run in it."""
    MAPS = "maps"
    """It is one process; its run configuration lists the files it has mapped."""


class HashCache(Protocol):
    """A stat cache: returns digests only when content cannot have changed (`envlock.store`)."""

    def get(self, key: StatKey) -> Hashes | None:
        """Return the digests of the file with this key, or None."""

    def put(self, key: StatKey, hashes: Hashes) -> None:
        """Store the digests of a file that was just read."""

    def mark_clean(self, path: str, sha256: str, verdict: int) -> None:
        """Store that this content at this path holds no secret, by rules of the id `verdict`."""

    def forget(self, path: str) -> None:
        """Remove what is known of a file: its digest must not be kept."""

    def is_clean(self, path: str, sha256: str, verdict: int) -> bool:
        """True when `mark_clean` was called with the same arguments."""


class ContentWriter(Protocol):
    """Receives the content of one file while the target is read."""

    def write(self, chunk: bytes) -> object:
        """Take the next bytes."""

    def close(self) -> object:
        """End the file: all of its content was written."""

    def abort(self) -> None:
        """Discard the file: its content cannot be completed."""


class ContentWatcher(Protocol):
    """Looks at the content of one file while the target is read."""

    def write(self, chunk: bytes) -> object:
        """Take the next bytes."""

    def close(self, sha256: str) -> object:
        """End the file: all of its content was read, and this is its digest."""


class PathSet(NamedTuple):
    """The paths that begin with one of `prefixes` or contain one of `substrings`."""

    prefixes: tuple[str, ...] = ()
    substrings: tuple[str, ...] = ()

    def matches(self, path: str) -> bool:
        """True when the path is in the set."""
        return path.startswith(self.prefixes) or any(part in path for part in self.substrings)


NO_PATHS = PathSet()


def _never(_: str) -> bool:
    return False


def _no_writer(_: Entry) -> ContentWriter | None:
    return None


def _no_watcher(_: Entry) -> ContentWatcher | None:
    return None


def _ignore_gap(_path: str, _reason: str) -> None:
    return None


def _ignore_progress(_files: int, _size: int) -> None:
    return None


def _ignore_walk_end() -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanPlan:
    """What one scan of a target's files does with each path.

    `digest`: hash the regular files that `hashes` matches with SHA-256; False reads names and
    metadata only.
    `wants_md5(path)`: compute MD5 as well, for a file whose package states it (dpkg).
    `wants_sha1(path)`: compute SHA-1 as well (apk); no path wants both.
    `retain(path)`: a streaming target keeps this file's content in memory for later `read` calls.
    `reads`: globs; it also keeps the files that these lead to through symbolic links.
    `writer_for(entry)`: the writer that receives a file's content from a streaming target, or
    None; called before the content is read, so `entry.sha256` is still empty.
    `watch(entry)`: what looks at a file's content while a target streams by, or None.  With a
    digest, it tells whether anybody must look at a file that is known.
    `on_gap(path, reason)`: called for everything that could not be read.
    `on_progress(files, bytes)`: called now and then with increments.
    `on_walk_finished()`: called once, when every path was yielded; only digests are outstanding.
    `prune`: matches paths that are not recorded, nor anything below them; each is a gap.
    `excluded`: real paths of this machine that a local target leaves out without a gap: the store
    and the lock, which would otherwise capture themselves.
    `other_environments`: paths that belong to other environments and are left out without a gap;
    a directory is looked up with a final slash, before it is entered.
    `jobs`: number of worker processes; 0 is one for each processor.
    """

    digest: bool = True
    hashes: GlobSet = EVERYTHING
    wants_md5: Callable[[str], bool] = _never
    wants_sha1: Callable[[str], bool] = _never
    retain: Callable[[str], bool] = _never
    reads: tuple[str, ...] = ()
    writer_for: Callable[[Entry], ContentWriter | None] = _no_writer
    watch: Callable[[Entry], ContentWatcher | None] = _no_watcher
    cache: HashCache | None = None
    on_gap: Callable[[str, str], None] = _ignore_gap
    on_progress: Callable[[int, int], None] = _ignore_progress
    on_walk_finished: Callable[[], None] = _ignore_walk_end
    prune: re.Pattern[str] | None = None
    excluded: frozenset[str] = frozenset()
    other_environments: PathSet = NO_PATHS
    jobs: int = 0

    def second_algorithm(self, path: str) -> str:
        """Return the algorithm wanted in addition to SHA-256: ``md5``, ``sha1`` or empty."""
        if self.wants_md5(path):
            return "md5"
        return "sha1" if self.wants_sha1(path) else ""


class Target(Protocol):
    """One environment, read-only."""

    @property
    def reference(self) -> str:
        """The TARGET operand that names it, for messages."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What can be read from this target."""

    @property
    def is_streaming(self) -> bool:
        """True when `scan` reads each content once, and `open` after it is slow or impossible."""

    @property
    def walks_before_reading(self) -> bool:
        """True when `scan` asks the plan for second digests and writers only after the walk."""

    def preload(self, patterns: Iterable[str]) -> None:
        """Fetch the files that match these globs, for `read` and `names` before any `scan`.

        A no-op on local targets.  Paths that do not exist and patterns that begin with a wildcard
        are ignored.
        """

    def scan(self, plan: ScanPlan) -> Iterator[Entry]:
        """Walk the whole tree once and yield every path, in no particular order.

        A file that is still being hashed when the walk ends is yielded without digests, and again
        with them after `plan.on_walk_finished` was called.
        """

    def stat(self, path: str) -> Entry:
        """Return one path without following a final symbolic link; digests are empty."""

    def names(self, path: str) -> tuple[str, ...]:
        """Return the sorted names in a directory."""

    def read(self, path: str, limit: int = READ_LIMIT) -> bytes:
        """Return a file's content, symbolic links followed inside the root.

        Raise OSError with errno EFBIG when it is larger than `limit` bytes.
        """

    def open(self, path: str) -> BinaryIO:
        """Open a regular file for reading, wherever its content must be fetched from."""

    def process(self) -> ProcessConfig | None:
        """Return the run configuration with its environment, or None without ENVIRON."""

    def close(self) -> None:
        """Release connections and temporary containers.  May be called twice."""


@runtime_checkable
class HasSlowerWay(Protocol):
    """A target that can be read in a second way, which trusts less and takes longer."""

    def slower(self) -> Target:
        """Return the same environment, to be read that way."""


@runtime_checkable
class FixedTarget(Target, Protocol):
    """A target whose content has a name of its own, so that its capture can be known already."""

    def fixed_id(self) -> str:
        """Return a text that is another one whenever anything that can be read here is another.

        Nothing secret can be told from it.  Empty where no such text is known.
        """


@runtime_checkable
class ListsPrograms(Protocol):
    """A target that can tell which programs run in it."""

    def programs(self) -> frozenset[str] | None:
        """Return the names of the programs that run, as the kernel knows them (comm, proc(5)).

        None when it cannot be told; nothing when surely nothing runs.
        """


Place = tuple[int, int]
"""A piece of a file: its offset and its size in bytes, at most 64 KiB."""


@runtime_checkable
class BatchedTarget(Target, Protocol):
    """A target that is far away, where many questions at once cost little more than one."""

    def pieces(self, wanted: Mapping[str, Sequence[Place]]) -> Mapping[str, Mapping[Place, bytes]]:
        """Return the wanted pieces of each file that can be read, shorter at the end of a file."""

    def digests(self, paths: Iterable[str]) -> Mapping[str, str]:
        """Return the SHA-256 of each of these files that can be read, as hex."""


@runtime_checkable
class IncrementalTarget(Target, Protocol):
    """A target that supports incremental capture: it finds changed directories quickly."""

    def mounts(self) -> Mapping[str, str]:
        """Return the mounts below the root: path from the root -> type of file system."""

    def walk(self, plan: ScanPlan) -> Iterator[Entry | Folder]:
        """Like `scan`, but yield one `Folder` per directory.

        A file whose entry needs more than its folder holds, digests or the names of hard links, is
        yielded as an entry as well, before or after its folder.
        """

    def signatures(self, plan: ScanPlan) -> dict[str, bytes]:
        """Stat every path and return the signature of each directory, by path below the root.

        Nothing is read.  The signature changes with every change of a path in the directory; it is
        empty for a directory that cannot be listed.
        """

    def list_directories(self, plan: ScanPlan, folders: Iterable[str]) -> dict[str, Folder]:
        """List these directories and return them by path, as they are now."""

    def scan_paths(self, plan: ScanPlan, paths: Collection[str]) -> Iterator[Entry]:
        """Like `scan`, but only for those of `paths` that `list_directories` listed last."""


def parse_environ(pairs: Iterable[str]) -> Mapping[str, str]:
    """Return ``NAME=value`` strings as a mapping; the last of a name wins, as in execve(2)."""
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}
