"""Tables of mounted file systems.

Sources: fstab(5); proc_pid_mountinfo(5).
"""

from __future__ import annotations

import re
from typing import NamedTuple

_OCTAL = re.compile(r"\\([0-7]{3})")
_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "glusterfs", "lustre", "afs", "9p", "davfs",
     "beegfs", "gpfs", "ocfs2", "gfs2", "fuse.sshfs", "fuse.s3fs", "fuse.gcsfuse", "fuse.rclone",
     "fuse.juicefs", "fuse.glusterfs", "virtiofs"}
)  # fmt: skip
_FLAGS = frozenset(
    {"ro", "noexec", "nosuid", "nodev", "noatime", "nodiratime", "strictatime", "sync", "dirsync",
     "noauto", "nofail", "usrquota", "grpquota", "prjquota", "data=writeback", "discard", "soft",
     "hard", "nolock", "noac", "acl", "noacl", "user_xattr", "casefold"}
)  # fmt: skip
_VALUES = re.compile(
    r"(?:size|nr_inodes|mode|huge|vers|nfsvers|proto|sec|rsize|wsize|compress|hidepid)=[\w%:.-]+\Z"
)
_MOST = 65536
"""Most lines that are parsed; machines with 65,578 mounts exist."""


class Mount(NamedTuple):
    """A file system and its mount point.

    `options` are those that affect permissions, durability or performance.  Sources, servers, users
    and credentials are never among them.
    """

    mount_point: str
    type: str
    options: tuple[str, ...]

    @property
    def is_network(self) -> bool:
        """True for a network file system."""
        return self.type in _NETWORK


def parse_fstab(text: str) -> list[Mount]:
    """Return the file systems of an fstab(5); the last of a mount point counts."""
    found = {}
    for line in text.split("\n")[:_MOST]:
        fields = line.partition("#")[0].split()
        if len(fields) >= 4 and fields[1].startswith("/"):
            mount_point = _plain(fields[1])
            found[mount_point] = Mount(mount_point, fields[2], _options(fields[3]))
    return list(found.values())


def parse_mountinfo(text: str) -> list[Mount]:
    """Return the mounted file systems; of several at one mount point the last, which hides them.

    >>> parse_mountinfo("36 35 98:0 / /tmp rw,noexec shared:1 - tmpfs tmpfs rw,size=64k")
    [Mount(mount_point='/tmp', type='tmpfs', options=('noexec', 'size=64k'))]
    """
    found = {}
    for line in text.split("\n")[:_MOST]:
        head, dash, tail = line.partition(" - ")
        fields, last = head.split(" "), tail.split(" ")
        if dash and len(fields) >= 6 and len(last) >= 3 and fields[4].startswith("/"):
            mount_point = _plain(fields[4])
            options = _options(f"{fields[5]},{last[2]}")
            found[mount_point] = Mount(mount_point, last[0], options)
    return list(found.values())


def _options(text: str) -> tuple[str, ...]:
    words = set(text.split(","))
    return tuple(sorted(word for word in words if word in _FLAGS or _VALUES.match(word)))


def _plain(field: str) -> str:
    """Return a field with its octal escapes decoded."""
    return _OCTAL.sub(lambda match: chr(int(match[1], 8) & 0x7F), field)
