"""Resource limits: of PAM, of systemd, of the session that captures, and of its control group."""

from __future__ import annotations

from collections.abc import Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.formats.system.assignments import parse_assignments
from envlock.formats.system.limits import (
    parse_cgroup,
    parse_pam_limits,
    parse_proc_limits,
    smallest,
)
from envlock.model.record import Record
from envlock.model.text import sort_key
from envlock.targets.base import Capability

_PAM = "/etc/security/limits.conf"
_PAM_FOLDER = "/etc/security/limits.d"
_SYSTEMD = "/etc/systemd/system.conf"
_SYSTEMD_FOLDER = "/etc/systemd/system.conf.d"
_PROC = "/proc/self/limits"
_GROUPS = "/proc/self/cgroup"
_CGROUP = "/sys/fs/cgroup"
_UNIFIED = ("cpu.max", "memory.max", "memory.high", "memory.swap.max", "pids.max")
_DIVIDED = (
    ("memory", "memory.limit_in_bytes", "memory.max"),
    ("cpu", "cpu.cfs_quota_us", "cpu.max"),
    ("pids", "pids.max", "pids.max"),
)
"""Controller of version 1, its file, and the name of that file in version 2."""

_DEEPEST = 64


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each limit.

    Keys: ``pam DOMAIN TYPE ITEM``, ``systemd NAME``, ``session ITEM`` (soft and hard limit of the
    capturing process), ``cgroup NAME`` (the smallest from its group up to the root).
    """
    for name, value in sorted(_pam(context).items(), key=lambda item: sort_key(item[0])):
        yield Record("host.limits", f"pam {name}", {"value": value})
    for name, value in sorted(_systemd(context).items()):
        yield Record("host.limits", f"systemd {name}", {"value": value})
    for item, (soft, hard) in sorted(parse_proc_limits(context.text(_PROC) or "").items()):
        yield Record("host.limits", f"session {item}", {"soft": soft, "hard": hard})
    for name, value in sorted(_cgroup(context).items()):
        yield Record("host.limits", f"cgroup {name}", {"value": value})


def _pam(context: Context) -> dict[str, str]:
    files = [f"{_PAM_FOLDER}/{n}" for n in context.names(_PAM_FOLDER) if n.endswith(".conf")]
    limits: dict[str, str] = {}
    for path in (_PAM, *files):
        for domain, kind, item, value in parse_pam_limits(context.text(path) or ""):
            for name in ("hard", "soft") if kind == "-" else (kind,):
                limits[f"{domain} {name} {item}"] = value
    return limits


def _systemd(context: Context) -> dict[str, str]:
    files = [
        f"{_SYSTEMD_FOLDER}/{n}" for n in context.names(_SYSTEMD_FOLDER) if n.endswith(".conf")
    ]
    found: dict[str, str] = {}
    for path in (_SYSTEMD, *files):
        found.update(parse_assignments(context.text(path) or ""))
    return {
        name: value
        for name, value in found.items()
        if value and name.startswith(("DefaultLimit", "DefaultTasksMax", "DefaultMemory"))
    }


def _cgroup(context: Context) -> dict[str, str]:
    groups = parse_cgroup(context.text(_GROUPS) or "")
    found = {}
    for name in _UNIFIED:
        found[name] = smallest(_values(context, "", groups.get("", "/"), name))
    for controller, file, name in _DIVIDED:
        value = smallest(_values(context, f"/{controller}", groups.get(controller, "/"), file))
        found[name] = found[name] or value
    return {name: value for name, value in found.items() if value}


def _values(context: Context, hierarchy: str, group: str, file: str) -> Iterator[str]:
    """Yield the values of a limit from a group up to the root, as far as they are visible."""
    parts = [part for part in group.split("/") if part][:_DEEPEST]
    for depth in range(len(parts), -1, -1):
        path = "/".join([f"{_CGROUP}{hierarchy}", *parts[:depth], file])
        yield context.line(path)


COLLECTOR = Collector(
    name="host.limits",
    sections=("host.limits",),
    reads=(
        _PAM,
        f"{_PAM_FOLDER}/*",
        _SYSTEMD,
        f"{_SYSTEMD_FOLDER}/*",
        _PROC,
        _GROUPS,
        *(f"{_CGROUP}/**/{name}" for name in _UNIFIED),
        *(f"{_CGROUP}/{controller}/**/{file}" for controller, file, _ in _DIVIDED),
    ),
    needs=frozenset({Capability.FILES, Capability.KERNEL}),
    collect=collect,
    sources=(
        "limits.conf(5)",
        "systemd-system.conf(5)",
        "proc_pid_limits(5)",
        "Documentation/admin-guide/cgroup-v2.rst",
    ),
)
