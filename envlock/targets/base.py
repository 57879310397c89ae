"""The `Target` protocol and the values that cross it.

A target is read-only.  Paths are absolute from the target's root, surrogateescape text; symbolic
links in a path are followed *inside* the root and never lead out of it.  Errors are the builtin
ones a reader can act on (`FileNotFoundError`, `PermissionError`, `IsADirectoryError`, `OSError`)
or `envlock.errors.TargetError` when the whole target stopped answering.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, NamedTuple, Protocol, runtime_checkable

from envlock.model.glob import EVERYTHING, Wanted
from envlock.model.process import ProcessConfig
from envlock.model.stat import Hashes, StatKey
from envlock.model.tree import Entry
from envlock.targets.folder import Folder

__all__ = [
    "IGNORED",
    "READ_LIMIT",
    "Capability",
    "ContentWriter",
    "HashCache",
    "Hashes",
    "Rewalkable",
    "ScanPlan",
    "StatKey",
    "Target",
    "as_mapping",
]

IGNORED = "ignored by configuration"
"""The reason of a gap that the user asked for."""

READ_LIMIT = 64 * 1024 * 1024
"""Largest file in bytes that `Target.read` returns; a gigabyte where text is expected is a gap."""


class Capability(StrEnum):
    """What a target can tell beside its packages."""

    FILES = "files"
    """It has a file tree: scan, stat, names, read."""
    ENVIRON = "environ"
    """It has environment variables and a run configuration of its own."""
    KERNEL = "kernel"
    """/proc and /sys belong to the machine the environment runs on."""
    EXEC = "exec"
    """Commands can be run in it."""
    MAPS = "maps"
    """It is one process, and which files that has mapped is in its run configuration."""


class HashCache(Protocol):
    """A stat cache: answers only when content cannot have changed (see `envlock.store`)."""

    def get(self, key: StatKey) -> Hashes | None:
        """Return the digests of a file with this key, or None."""

    def put(self, key: StatKey, hashes: Hashes) -> None:
        """Remember the digests of a file just read."""

    def vouch(self, path: str, sha256: str, verdict: int) -> None:
        """Remember, with the digests, that this content was looked through at this path."""

    def is_vouched(self, path: str, sha256: str, verdict: int) -> bool:
        """True when it was, with the same verdict."""


class ContentWriter(Protocol):
    """Receives the content of one file while it streams by."""

    def write(self, chunk: bytes) -> object:
        """Take the next bytes."""

    def close(self) -> object:
        """End of the file: everything was written."""

    def abort(self) -> None:
        """The file cannot be completed: forget it."""


class Places(NamedTuple):
    """Paths that begin with one of some texts, or have one of others in them."""

    begins: tuple[str, ...] = ()
    within: tuple[str, ...] = ()

    def hold(self, path: str) -> bool:
        """True when the path is one of them."""
        return path.startswith(self.begins) or any(part in path for part in self.within)


NOWHERE = Places()


def _never(_: str) -> bool:
    return False


def _keep_nothing(_: Entry) -> ContentWriter | None:
    return None


def _ignore_gap(_path: str, _reason: str) -> None:
    return None


def _ignore_progress(_files: int, _size: int) -> None:
    return None


def _ignore_walk_end() -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanPlan:
    """What one walk over a target's files should do on the way.

    `digest`: hash regular files with SHA-256 (False: names and metadata only), of these the ones
    that `hashes` asks for.
    `wants_md5(path)`: also compute MD5, dpkg's baseline.
    `wants_sha1(path)`: also compute SHA-1, apk's; nothing is asked for both.
    `retain(path)`: a streaming target keeps this file's content for later `read` calls.
    `keep(entry)`: for a streaming target, a writer that receives the content, or None; it is
    asked before the content is read, so `entry.sha256` is still empty.
    `on_gap(path, reason)`: called for everything that could not be read.
    `on_progress(files, bytes)`: increments, called now and then.
    `on_walked()`: called once, when every path has been yielded; only digests are outstanding.
    `prune`: matches paths not to record, with what is below (a gap each).
    `own`: real paths of this machine that a target here passes over in silence: the store and the
    lock, which would otherwise capture themselves.
    `elsewhere`: what belongs to another environment and is passed over in silence; a
    directory is asked for with a final slash, before it is entered.
    """

    digest: bool = True
    hashes: Wanted = EVERYTHING
    wants_md5: Callable[[str], bool] = _never
    wants_sha1: Callable[[str], bool] = _never
    retain: Callable[[str], bool] = _never
    keep: Callable[[Entry], ContentWriter | None] = _keep_nothing
    cache: HashCache | None = None
    on_gap: Callable[[str, str], None] = _ignore_gap
    on_progress: Callable[[int, int], None] = _ignore_progress
    on_walk_finished: Callable[[], None] = _ignore_walk_end
    prune: re.Pattern[str] | None = None
    own: frozenset[str] = frozenset()
    elsewhere: Places = NOWHERE
    jobs: int = 0

    def second(self, path: str) -> str:
        """Return the name of the algorithm wanted beside SHA-256, empty for none."""
        if self.wants_md5(path):
            return "md5"
        return "sha1" if self.wants_sha1(path) else ""


class Target(Protocol):
    """One environment, read-only."""

    @property
    def reference(self) -> str:
        """The TARGET operand that named it, for messages."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What this target can tell."""

    @property
    def is_streaming(self) -> bool:
        """True when `scan` sees each content once and `open` afterwards is slow or impossible."""

    @property
    def walks_first(self) -> bool:
        """True when `scan` asks nothing of its plan about content before `plan.on_walked`."""

    def preload(self, patterns: Iterable[str]) -> None:
        """Fetch the files that match these globs, for `read` and `names` before any `scan`.

        A no-op on local targets.  Paths that do not exist are passed over, and so are patterns
        that begin with a wildcard.
        """

    def scan(self, plan: ScanPlan) -> Iterator[Entry]:
        """Walk the whole tree once and yield every path, in no particular order.

        A file that is still being hashed when the walk ends is yielded without its digests, and
        again with them after `plan.on_walked` was called.
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
class Rewalkable(Target, Protocol):
    """A target that can tell cheaply which directories are not as they were."""

    def mounts(self) -> Mapping[str, str]:
        """Return what is mounted below the root: path from it -> type of file system."""

    def walk(self, plan: ScanPlan) -> Iterator[Entry | Folder]:
        """Walk the whole tree as `scan` does, with what a directory tells told at once.

        A file that it does not tell wholly, because of its digests or its other names, is yielded
        as an entry too, before or after.
        """

    def sign(self, plan: ScanPlan) -> dict[str, bytes]:
        """Look at every path there is, reading nothing, and return for each directory, by its path
        below the root, what changes with any path in it; nothing when it cannot be listed.
        """  # noqa: D205

    def list_again(self, plan: ScanPlan, folders: Iterable[str]) -> dict[str, Folder]:
        """Return directories as they are now."""

    def scan_again(self, plan: ScanPlan, paths: Collection[str]) -> Iterator[Entry]:
        """Yield those of the `paths` that `list_again` listed, as `scan` does."""


def as_mapping(pairs: Iterable[str]) -> Mapping[str, str]:
    """Return ``NAME=value`` strings as a mapping; the last of a name wins, as in execve."""
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}
