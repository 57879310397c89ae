"""File systems in fstab and mounted ones: type and options, but never the source."""

from __future__ import annotations

from collections.abc import Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.files.rules import OTHER_ENVIRONMENTS
from envlock.formats.system.mounts import Mount, parse_fstab, parse_mountinfo
from envlock.formats.system.settings import SETTINGS_LIMIT
from envlock.model.record import Record
from envlock.targets.base import Capability

_TABLE = "/etc/fstab"
_MOUNTED = "/proc/self/mountinfo"
_MOUNTED_LIMIT = 32 * 1024 * 1024
_PSEUDO = frozenset(
    {"proc", "sysfs", "devtmpfs", "devpts", "cgroup", "cgroup2", "mqueue", "hugetlbfs", "debugfs",
     "tracefs", "securityfs", "pstore", "bpf", "configfs", "fusectl", "binfmt_misc", "autofs",
     "efivarfs", "rpc_pipefs", "nsfs", "selinuxfs", "squashfs", "swap", "fuse.gvfsd-fuse",
     "fuse.portal", "fuse.lxcfs"}
)  # fmt: skip
_TRANSIENT = (  # names in a target
    "/tmp/",  # noqa: S108
    "/var/tmp/",  # noqa: S108
    "/dev/",
    "/proc/",
    "/sys/",
    "/run/",
    "/var/run/",
    "/snap/",
    "/var/snap/",
    "/media/",
    "/home/",
    "/etc/",
    "/boot/efi",
)
_KEPT = ("/dev/shm",)  # noqa: S108


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each mount point: ``type``, ``options``, ``network``.

    ``planned = "true"`` marks a file system that is in fstab but not mounted.
    """
    mounted = {
        m.mount_point: m for m in parse_mountinfo(context.text(_MOUNTED, _MOUNTED_LIMIT) or "")
    }
    planned = {m.mount_point: m for m in parse_fstab(context.text(_TABLE, SETTINGS_LIMIT) or "")}
    for mount_point in sorted({*mounted, *planned}):
        mount = mounted.get(mount_point) or planned[mount_point]
        if _matters(mount):
            facts = {"type": mount.type, "options": ",".join(mount.options)}
            facts["network"] = "true" if mount.is_network else ""
            facts["planned"] = "true" if mount_point not in mounted else ""
            yield Record(
                "host.mount", mount_point, {name: value for name, value in facts.items() if value}
            )


def _matters(mount: Mount) -> bool:
    """True for a mount that persists across reboots and is not a pseudo file system."""
    if mount.type in _PSEUDO or OTHER_ENVIRONMENTS.matches(f"{mount.mount_point}/"):
        return False
    return mount.mount_point in _KEPT or not mount.mount_point.startswith(_TRANSIENT)


COLLECTOR = Collector(
    name="host.mount",
    sections=("host.mount",),
    reads=(_TABLE, _MOUNTED),
    needs=frozenset({Capability.FILES, Capability.KERNEL}),
    collect=collect,
    sources=("fstab(5)", "proc_pid_mountinfo(5)", "mount(8)"),
)
