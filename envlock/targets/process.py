"""A running process: its environment, its program, the files it has mapped, and its root.

The root may be that of a container or a chroot.  Reading it needs the same user or root; what may
not be read is a gap.  Sources: proc_pid_environ(5), proc_pid_maps(5), proc_pid_root(5),
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
from envlock.formats.binary.file_capabilities import capability_names
from envlock.model.process import ProcessConfig
from envlock.model.text import from_bytes
from envlock.model.tree import Entry
from envlock.targets.base import Capability, ScanPlan, parse_environ
from envlock.targets.folder import Folder
from envlock.targets.local.filesystem import LocalTarget, host
from envlock.targets.local.namespaces import call_in, kind_for
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
    """One process of this machine, identified by its number and its start time."""

    def __init__(self, pid: int) -> None:
        super().__init__(Path(f"/proc/{pid}/root/."), f"pid:{pid}", is_host=True)
        # `Path` drops a final dot, without which lstat returns the link and not the root.
        self._root = f"/proc/{pid}/root/."
        self.capabilities |= {Capability.MAPS}
        self._proc = f"/proc/{pid}"
        self._machine = host()
        self._started = self._start_time()

    @classmethod
    def connect(cls, operand: str) -> ProcessTarget:
        """Return the process with a number.  Raise TargetError when there is none."""
        if not re.fullmatch(r"[1-9][0-9]{0,9}", operand):
            raise TargetError(
                "not the number of a process", where=f"pid:{operand}", hint="for example pid:1"
            )
        return cls(int(operand))

    def walk(self, plan: ScanPlan) -> Iterator[Entry | Folder]:
        """Walk the root of the process."""
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
        return (
            self._machine.stat(self._kernel_path(path)) if _is_kernel(path) else super().stat(path)
        )

    def names(self, path: str) -> tuple[str, ...]:
        """Return the sorted names in a directory."""
        return (
            self._machine.names(self._kernel_path(path))
            if _is_kernel(path)
            else super().names(path)
        )

    def open(self, path: str) -> BufferedReader:
        """Open a regular file; /proc and /sys are those of this machine, as the process sees them.

        Settings of a namespace in which the process is not with us are those of its namespace.
        """
        if not _is_kernel(path):
            return super().open(path)
        kind = kind_for(path)
        if kind and kind in self._namespaces():
            return call_in(self._proc, kind, lambda: self._machine.open(path))
        return self._machine.open(self._kernel_path(path))

    def process(self) -> ProcessConfig:
        """Return the facts about the process that may be read."""
        unreadable: dict[str, str] = {}
        environ = self._read_proc("environ", unreadable)
        config = ProcessConfig(
            cmd=tuple(from_bytes(self._read_proc("cmdline", unreadable)).split("\0")[:-1]),
            exe=self._link("exe", unreadable).removesuffix(_DELETED),
            user=self._user(),
            workdir=self._link("cwd", unreadable),
            environ=parse_environ(from_bytes(pair) for pair in environ.split(b"\0") if pair),
            is_session=True,
            maps=self._maps(unreadable),
            container=self._container(),
            namespaces=self._namespaces(),
            settings=self._privileges(),
            unreadable=unreadable,
        )
        self._start_time()
        return config

    def mounts(self) -> Mapping[str, str]:
        """Return the mounts below the root of the process."""
        found = parse_mountinfo(self._read_proc("mountinfo", {}))
        return {point: kind for point, kind in found.items() if point != "/"}

    def _kernel_path(self, path: str) -> str:
        if path.startswith(_SELF):
            return f"{self._proc}/{path.removeprefix(_SELF)}"
        return path

    def _start_time(self) -> bytes:
        """Return the start time.  Raise TargetError when it ended, or another has its number."""
        try:
            with open(f"{self._proc}/stat", "rb") as file:
                # Field 22; field 2 is in parentheses and may contain spaces.
                started = file.read(_LIMIT).rpartition(b")")[2].split()[19]
        except (OSError, IndexError) as error:
            raise TargetError(
                "there is no such process", where=self.reference, hint="list them with `ps -e`"
            ) from error
        if getattr(self, "_started", started) != started:
            raise TargetError("the process ended while it was captured", where=self.reference)
        return started

    def _read_proc(self, name: str, unreadable: dict[str, str]) -> bytes:
        try:
            with open(f"{self._proc}/{name}", "rb") as file:
                return file.read(_LIMIT)
        except OSError as error:
            unreadable[f"{_SELF}{name}"] = _reason(error)
            return b""

    def _link(self, name: str, unreadable: dict[str, str]) -> str:
        """Return the target of a link in its /proc directory, as a path from the process's root."""
        try:
            return self._inside(os.readlink(f"{self._proc}/{name}"))
        except OSError as error:
            if error.errno != errno.ENOENT:  # kernel threads have no program
                unreadable[f"{_SELF}{name}"] = _reason(error)
            return ""

    def _inside(self, path: str) -> str:
        try:
            root = os.readlink(f"{self._proc}/root").rstrip("/")
        except OSError:
            root = ""
        return path.removeprefix(root) or "/" if f"{path}/".startswith(f"{root}/") else path

    def _maps(self, unreadable: dict[str, str]) -> str:
        lines = []
        for line in from_bytes(self._read_proc("maps", unreadable)).split("\n"):
            words = line.split(None, 5)
            if len(words) == 6 and words[5].startswith("/"):
                lines.append(" ".join([*words[:5], self._inside(words[5])]))
        return "\n".join(lines)

    def _user(self) -> str:
        """Return the effective user and group in the form of a run configuration: ``UID:GID``."""
        fields = dict(
            line.split(b":", 1)
            for line in self._read_proc("status", {}).split(b"\n")
            if line.startswith((b"Uid:", b"Gid:"))
        )
        effective = [
            fields[name].split()[1].decode() for name in (b"Uid", b"Gid") if name in fields
        ]
        return ":".join(effective)

    def _privileges(self) -> dict[str, str]:
        """Return what the process may do beyond its user: capabilities, and what limits them."""
        lines = from_bytes(self._read_proc("status", {})).split("\n")
        status = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
        found = {
            "capabilities": _capabilities(status.get("CapEff", "")),
            "capability_bound": _capabilities(status.get("CapBnd", "")),
            "no_new_privileges": "true" if status.get("NoNewPrivs") == "1" else "",
            "seccomp": {"1": "strict", "2": "filter"}.get(status.get("Seccomp", ""), ""),
        }
        return {name: value for name, value in found.items() if value}

    def _container(self) -> str:
        found = _CONTAINER.search(from_bytes(self._read_proc("cgroup", {})))
        if found is None:
            return ""
        return f"{_ENGINES.get(found['engine'], found['engine'])} {found['id']}"

    def _namespaces(self) -> tuple[str, ...]:
        """Return the kinds of namespaces in which it differs from this process."""
        other = []
        for name in _NAMESPACES:
            try:
                target = os.readlink(f"{self._proc}/ns/{name}")
                if target != os.readlink(f"{_SELF}ns/{name}"):
                    other.append(name)
            except OSError:
                continue
        return tuple(other)


def _capabilities(mask: str) -> str:
    """Return the capabilities in a line of /proc/PID/status, empty where there is none."""
    return capability_names(int(mask, 16)) if re.fullmatch(r"[0-9a-f]{1,32}", mask) else ""


def _is_kernel(path: str) -> bool:
    return path.startswith(_KERNEL)


def _reason(error: OSError) -> str:
    if error.errno in (errno.EACCES, errno.EPERM):
        return "permission denied"
    return error.strerror or "cannot be read"
