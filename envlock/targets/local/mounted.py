"""A running container whose file system this machine has mounted: read like a directory.

An engine with the driver overlay2 mounts the layers of a running container at a path that root can
read.  What is there is what the engine would export, with inodes and change times, so that a second
capture reads only what changed, and no edit is missed that keeps size and time.  The engine's list
of changes (``docker diff``) is not used: it leaves such edits out.
Sources: moby, daemon/graphdriver/overlay2, Get and Put; proc(5), /proc/PID/root and /proc/PID/fd.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from envlock.errors import TargetError
from envlock.model.process import ProcessConfig
from envlock.model.tree import Entry, EntryType
from envlock.targets.base import Capability, ScanPlan, Target
from envlock.targets.folder import Folder
from envlock.targets.local.filesystem import LocalTarget
from envlock.targets.local.walk import entry_of

_EXPORTED = ("security.capability",)
"""The extended attributes that an engine exports."""
_ROOT = Entry("/", EntryType.DIRECTORY, 0o755)
"""What is known of the root directory: an export does not contain it."""
_LOOKED_INTO = ("", "/dev", "/dev/pts", "/dev/shm", "/etc", "/proc", "/sys")  # noqa: S108  names there
"""The directories in which an engine makes mount points."""


class Exported(Target, Protocol):
    """The same container, read from the engine's export."""

    def programs(self) -> frozenset[str] | None:
        """Return the programs that run in it, None where that is not known."""

    def mounted(self) -> Mapping[str, str]:
        """Return what is mounted in it: path -> kind."""

    def without_engine_paths(self, entries: Mapping[str, Entry]) -> Mapping[str, Entry]:
        """Return entries without what the engine made, and with the times that were before."""


class MountedTarget(LocalTarget):
    """A running container, read where it is mounted; `pid` is its first process."""

    def __init__(self, descriptor: int, pid: int, exported: Exported) -> None:
        """Read the open directory `descriptor`, which is closed by `close`."""
        super().__init__(Path("/"), exported.reference, is_host=False)
        # The mount outlives the container while the directory is open; workers reach it here.
        self._root = f"/proc/{os.getpid()}/fd/{descriptor}/."
        self.capabilities |= {Capability.ENVIRON}
        self._descriptor = descriptor
        self._pid = pid
        self._exported = exported
        before = self._engine_paths()
        after = exported.without_engine_paths(before)
        self._made = before.keys() - after.keys()
        self._times = {
            path: entry.mtime for path, entry in after.items() if entry.mtime != before[path].mtime
        }

    @classmethod
    def open_mount(cls, folder: str, pid: int, exported: Exported) -> MountedTarget | None:
        """Return the container with the first process `pid`, None unless `folder` is its root."""
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            return None
        with suppress(OSError, TargetError):
            _check(descriptor, pid, exported.reference)
            return cls(descriptor, pid, exported)
        os.close(descriptor)
        return None

    def slower(self) -> Target:
        """Return the container as the engine exports it."""
        return self._exported

    def process(self) -> ProcessConfig | None:
        """Return the run configuration of the container."""
        return self._exported.process()

    def programs(self) -> frozenset[str] | None:
        """Return the programs that run in the container."""
        return self._exported.programs()

    def mounts(self) -> Mapping[str, str]:
        """Return what is mounted in the container: path -> kind."""
        return self._exported.mounted()

    def close(self) -> None:
        """Release the mount and the connection to the engine."""
        super().close()
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)
        self._exported.close()

    def walk(self, plan: ScanPlan) -> Iterator[Entry | Folder]:
        """Walk the root; what is mounted in the container is a gap."""
        for path, kind in sorted(self.mounts().items()):
            plan.on_gap(path, f"a {kind} mounted here, not captured")
        return self._checked(super().walk(self._plan(plan)))

    def signatures(self, plan: ScanPlan) -> dict[str, bytes]:
        """Stat every path; see `envlock.targets.base.IncrementalTarget.signatures`."""
        return super().signatures(self._plan(plan))

    def list_directories(self, plan: ScanPlan, folders: Iterable[str]) -> dict[str, Folder]:
        """List directories; see `envlock.targets.base.IncrementalTarget.list_directories`."""
        found = super().list_directories(self._plan(plan), folders)
        self._folders = {path: self._shown(folder) for path, folder in found.items()}
        return self._folders

    def scan_paths(self, plan: ScanPlan, paths: Collection[str]) -> Iterator[Entry]:
        """Scan some paths; see `envlock.targets.base.IncrementalTarget.scan_paths`."""
        yield from super().scan_paths(self._plan(plan), paths)
        _check(self._descriptor, self._pid, self.reference)

    def stat(self, path: str) -> Entry:
        """Return one path, its final link not followed."""
        entry = super().stat(path)
        return self._as_exported(entry, self._real(path, follow=False) or "/")

    def names(self, path: str) -> tuple[str, ...]:
        """Return the sorted names in a directory."""
        real = self._real(path, follow=True).rstrip("/")
        return tuple(name for name in super().names(path) if f"{real}/{name}" not in self._made)

    def _not_entered(self) -> Mapping[str, str]:
        return {}  # what is mounted in the container is not mounted here

    def _plan(self, plan: ScanPlan) -> ScanPlan:
        made = frozenset(f"{self._root}{path}" for path in self._made)
        return replace(plan, excluded=plan.excluded | made)

    def _checked(self, found: Iterator[Entry | Folder]) -> Iterator[Entry | Folder]:
        """Yield what a walk found, as it would be exported; raise when it was not all there."""
        for each in found:
            if isinstance(each, Folder):
                yield self._shown(each)
            else:
                yield self._as_exported(each, each.path)
        _check(self._descriptor, self._pid, self.reference)

    def _shown(self, folder: Folder) -> Folder:
        """Return a directory as it would be exported: no sockets, times as before the engine."""
        names, _ = folder.modes()
        times = {
            name: self._times[path]
            for name in names
            if (path := f"{folder.path}/{name}") in self._times
        }
        return folder.as_exported(times, _EXPORTED)

    def _as_exported(self, entry: Entry, real: str) -> Entry:
        if real == "/":
            return _ROOT
        xattrs = tuple(pair for pair in entry.xattrs if pair[0].startswith(_EXPORTED))
        return entry._replace(mtime=self._times.get(real, entry.mtime), xattrs=xattrs)

    def _engine_paths(self) -> dict[str, Entry]:
        """Return the entries that tell what an engine made: those of a few directories."""
        found: dict[str, Entry] = {}
        for folder in _LOOKED_INTO:
            real = f"{self._root}{folder}"
            with suppress(OSError):
                status = os.lstat(real)
                found[folder or "/"] = entry_of(folder or "/", status, real)
                for name in os.listdir(real) if stat.S_ISDIR(status.st_mode) else ():
                    here = f"{real}/{name}"
                    entry = entry_of(f"{folder}/{name}", os.lstat(here), here)
                    if entry.type is not EntryType.SOCKET:
                        found.setdefault(entry.path, entry)
        return found

    @contextmanager
    def _directory_of(self, real: str) -> Iterator[tuple[str, str]]:
        """Do as the base class; a path that the engine made is not there."""
        if real.removesuffix("/.") in self._made:
            raise FileNotFoundError(errno.ENOENT, "no such file or directory", real)
        try:
            with super()._directory_of(real) as found:
                yield found
        except FileNotFoundError:
            _check(self._descriptor, self._pid, self.reference)
            raise


def _check(descriptor: int, pid: int, reference: str) -> None:
    """Raise TargetError unless a process has the open directory as its root."""
    there = os.fstat(descriptor)
    with suppress(OSError):
        root = os.stat(f"/proc/{pid}/root")
        if (root.st_dev, root.st_ino) == (there.st_dev, there.st_ino):
            return
    raise TargetError(
        "the container stopped while it was read",
        where=reference,
        hint="capture it again: a stopped container is read as well",
    )
