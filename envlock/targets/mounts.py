"""Mount points below a directory, from the kernel's own list (proc_pid_mountinfo(5)).

Reading the list touches no mount point, so that a dead network mount cannot hang a walk.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

MOUNTINFO = "/proc/self/mountinfo"

PSEUDO = frozenset(
    {
        "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts",
        "devtmpfs", "efivarfs", "fusectl", "hugetlbfs", "mqueue", "nsfs", "proc", "pstore",
        "ramfs", "rpc_pipefs", "securityfs", "selinuxfs", "sysfs", "tmpfs", "tracefs",
    }
)  # fmt: skip
"""File systems that hold no part of an environment: leaving them out is not a gap."""

REMOTE = frozenset({"9p", "afs", "autofs", "ceph", "cifs", "coda", "glusterfs", "lustre", "nfs",
                    "nfs4", "ocfs2", "smb3", "virtiofs"})  # fmt: skip
"""File systems whose mount point must not be touched: a system call on it may never return."""

_DATA = (
    "/var/lib/", "/run/", "/mnt/", "/media/", "/tmp/",  # noqa: S108  names in a target
    "/etc/hosts", "/etc/hostname", "/etc/resolv.conf",  # mounted by the engine of a container
)  # fmt: skip
"""Directories in which another file system is data: leaving it out is not a gap."""

_OCTAL = re.compile(rb"\\([0-7]{3})")


def parse_mountinfo(raw: bytes) -> Mapping[str, str]:
    """Return mount point -> file system type; the last mount on a point wins."""
    mounts = {}
    for line in raw.splitlines():
        fields, _, rest = line.partition(b" - ")
        parts = fields.split(b" ")
        if len(parts) > 4 and rest:
            point = _OCTAL.sub(lambda match: bytes((int(match[1], 8),)), parts[4])
            mounts[point.decode("utf-8", "surrogateescape")] = rest.split(b" ")[0].decode()
    return mounts


def mounts_below(root: str) -> Mapping[str, str]:
    """Return the mounts strictly below `root`, by path from `root`; none where /proc is missing."""
    try:
        with open(MOUNTINFO, "rb") as file:
            mounts = parse_mountinfo(file.read())
    except OSError:
        return {}
    prefix = root.rstrip("/") + "/"
    return {
        f"/{point[len(prefix) :]}": kind
        for point, kind in mounts.items()
        if point.startswith(prefix) and point != prefix
    }


def is_reportable(path: str, kind: str) -> bool:
    """True when a mount may hold a part of the environment, so that not entering it is a gap."""
    return kind not in PSEUDO and not path.startswith(_DATA)


def may_hang(kind: str) -> bool:
    """True when a system call on a mount of this type can wait for another machine or program."""
    return kind in REMOTE or kind.startswith("fuse")
