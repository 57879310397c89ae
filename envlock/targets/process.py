"""A running process: its environment, what it runs, what it has mapped, and the root it sees.

The root may be that of a container or a chroot.  It takes the same user or root to look; what is
refused is a gap.  Sources: proc_pid_environ(5), proc_pid_maps(5), proc_pid_root(5),
proc_pid_mountinfo(5), proc_pid_stat(5), proc_pid_status(5), cgroups(7), namespaces(7).
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Mapping
from io import BufferedReader
from pathlib import Path

from envlock.errors import TargetError
from envlock.model.process import ProcessConfig
from envlock.model.text import from_bytes
from envlock.model.tree import Entry
from envlock.targets.base import Capability, ScanPlan, parse_environ
from envlock.targets.folder import Folder
from envlock.targets.local.filesystem import LocalTarget, host
from envlock.targets.mounts import parse_mountinfo

_KERNEL = ("/proc/", "/sys/")
_SELF = "/proc/self/"
_NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")
_CONTAINER = re.compile(
    r"(?P<engine>docker|libpod|cri-containerd|crio)[-/](?P<id>[0-9a-f]{12})[0-9a-f]{52}(?:\.scope)?"
    r"(?:/|$)",
    re.MULTILINE,
)
_ENGINES = {"libpod": "podman", "cri-containerd": "containerd", "crio": "cri-o"}
_DELETED = " (deleted)"
_LIMIT = 64 * 1024 * 1024


class ProcessTarget(LocalTarget):
    """One process of this machine, known by its number and the time it was started."""

    def __init__(self, pid: int) -> None:
        super().__init__(Path(f"/proc/{pid}/root/."), f"pid:{pid}", is_host=True)
        # A path keeps no final dot, and without it the link would be looked at, not the root.
        self._root = f"/proc/{pid}/root/."
        self.capabilities |= {Capability.MAPS}
        self._folder = f"/proc/{pid}"
        self._machine = host()
        self._started = self._start_time()

    @classmethod
    def connect(cls, operand: str) -> ProcessTarget:
        """Return the process of a number.  Raise TargetError when there is none."""
        if not re.fullmatch(r"[1-9][0-9]{0,9}", operand):
            raise TargetError(
                "a process has a number", where=f"pid:{operand}", hint="for example pid:1"
            )
        return cls(int(operand))

    def walk(self, plan: ScanPlan) -> Iterator[Entry | Folder]:
        """Walk the root that the process sees."""
        try:
            os.lstat(self._root)
        except PermissionError:
            plan.on_gap("/", "permission denied")
            plan.on_walk_finished()
            return
        yield from super().walk(plan)
        self._start_time()

    def stat(self, path: str) -> Entry:
        """Return one path, its final link not followed."""
        return self._machine.stat(self._there(path)) if _is_kernel(path) else super().stat(path)

    def names(self, path: str) -> tuple[str, ...]:
        """Return the sorted names in a directory."""
        return self._machine.names(self._there(path)) if _is_kernel(path) else super().names(path)

    def open(self, path: str) -> BufferedReader:
        """Open a regular file; the kernel's own files are those of this machine."""
        return self._machine.open(self._there(path)) if _is_kernel(path) else super().open(path)

    def process(self) -> ProcessConfig:
        """Return what the process is, as far as it may be seen."""
        unreadable: dict[str, str] = {}
        environ = self._told("environ", unreadable)
        config = ProcessConfig(
            cmd=tuple(from_bytes(self._told("cmdline", unreadable)).split("\0")[:-1]),
            exe=self._link("exe", unreadable).removesuffix(_DELETED),
            user=self._user(),
            workdir=self._link("cwd", unreadable),
            environ=parse_environ(from_bytes(pair) for pair in environ.split(b"\0") if pair),
            is_session=True,
            maps=self._maps(unreadable),
            container=self._container(),
            namespaces=self._namespaces(),
            unreadable=unreadable,
        )
        self._start_time()
        return config

    def mounts(self) -> Mapping[str, str]:
        """Return what is mounted below the root that the process sees."""
        found = parse_mountinfo(self._told("mountinfo", {}))
        return {point: kind for point, kind in found.items() if point != "/"}

    def _there(self, path: str) -> str:
        if path.startswith(_SELF):
            return f"{self._folder}/{path.removeprefix(_SELF)}"
        return path

    def _start_time(self) -> bytes:
        """Return when it was started.  Raise TargetError when it has ended, or is another one."""
        try:
            with open(f"{self._folder}/stat", "rb") as file:
                # The name of the program is in parentheses and may hold spaces; field 22 counts.
                started = file.read(_LIMIT).rpartition(b")")[2].split()[19]
        except (OSError, IndexError) as error:
            raise TargetError(
                "there is no such process", where=self.reference, hint="list them with `ps -e`"
            ) from error
        if getattr(self, "_started", started) != started:
            raise TargetError("the process ended while it was captured", where=self.reference)
        return started

    def _told(self, name: str, unreadable: dict[str, str]) -> bytes:
        try:
            with open(f"{self._folder}/{name}", "rb") as file:
                return file.read(_LIMIT)
        except OSError as error:
            unreadable[f"{_SELF}{name}"] = _why(error)
            return b""

    def _link(self, name: str, unreadable: dict[str, str]) -> str:
        """Return where a link of the process leads, as it sees it itself."""
        try:
            return self._inside(os.readlink(f"{self._folder}/{name}"))
        except OSError as error:
            if error.errno != errno.ENOENT:  # a thread of the kernel has no program
                unreadable[f"{_SELF}{name}"] = _why(error)
            return ""

    def _inside(self, path: str) -> str:
        try:
            root = os.readlink(f"{self._folder}/root").rstrip("/")
        except OSError:
            root = ""
        return path.removeprefix(root) or "/" if f"{path}/".startswith(f"{root}/") else path

    def _maps(self, unreadable: dict[str, str]) -> str:
        lines = []
        for line in from_bytes(self._told("maps", unreadable)).split("\n"):
            words = line.split(None, 5)
            if len(words) == 6 and words[5].startswith("/"):
                lines.append(" ".join([*words[:5], self._inside(words[5])]))
        return "\n".join(lines)

    def _user(self) -> str:
        """Return the effective user and group, as a run configuration has them."""
        fields = dict(
            line.split(b":", 1)
            for line in self._told("status", {}).split(b"\n")
            if line.startswith((b"Uid:", b"Gid:"))
        )
        effective = [
            fields[name].split()[1].decode() for name in (b"Uid", b"Gid") if name in fields
        ]
        return ":".join(effective)

    def _container(self) -> str:
        found = _CONTAINER.search(from_bytes(self._told("cgroup", {})))
        if found is None:
            return ""
        return f"{_ENGINES.get(found['engine'], found['engine'])} {found['id']}"

    def _namespaces(self) -> tuple[str, ...]:
        """Return the kinds of namespaces that it does not share with us."""
        other = []
        for name in _NAMESPACES:
            try:
                theirs = os.readlink(f"{self._folder}/ns/{name}")
                if theirs != os.readlink(f"{_SELF}ns/{name}"):
                    other.append(name)
            except OSError:
                continue
        return tuple(other)


def _is_kernel(path: str) -> bool:
    return path.startswith(_KERNEL)


def _why(error: OSError) -> str:
    if error.errno in (errno.EACCES, errno.EPERM):
        return "permission denied"
    return error.strerror or "cannot be read"
