"""What runs on a machine with files of before an update, and what can take it back whole.

Sources: proc_pid_maps(5), proc_pid_comm(5), proc_mounts(5), snapper-configs(5), timeshift(1).
"""

from __future__ import annotations

from collections.abc import Iterator

from envlock.formats.system.process_maps import parse_maps
from envlock.model.text import from_bytes
from envlock.targets.base import Target

_MAPS_LIMIT = 16 * 1024 * 1024
_SHORT_LIMIT = 64 * 1024
_MAX_PROCESSES = 4_096
"""More processes than this are not looked at: a larger machine is told of those it has first."""
_SNAPSHOTS = {"btrfs": "btrfs", "zfs": "ZFS", "bcachefs": "bcachefs"}
_READS = ("/proc/[0-9]*/maps", "/proc/[0-9]*/comm")


def outdated_programs(target: Target) -> tuple[str, ...]:
    """Return the sorted names of running programs that still use a library replaced on disk.

    Those of other users are left out where reading them is not allowed.
    """
    numbers = [name for name in _names(target, "/proc") if name.isdecimal()][:_MAX_PROCESSES]
    if not numbers:
        return ()
    target.preload(_READS)
    found = (number for number in numbers if _has_outdated(target, number))
    return tuple(sorted({_read(target, f"/proc/{n}/comm", _SHORT_LIMIT).strip() for n in found}))


def _has_outdated(target: Target, number: str) -> bool:
    maps = _read(target, f"/proc/{number}/maps", _MAPS_LIMIT)
    return any(mapped.is_deleted and ".so" in mapped.path for mapped in parse_maps(maps))


def snapshot_notes(target: Target) -> Iterator[str]:
    """Yield a sentence for what can bring the whole machine back, none where nothing can."""
    tools = [
        name
        for name, path in (("snapper", "/etc/snapper/configs"), ("timeshift", "/etc/timeshift"))
        if _names(target, path)
    ]
    kinds = {
        words[2]
        for words in map(str.split, _read(target, "/proc/mounts", _SHORT_LIMIT).splitlines())
        if len(words) > 2 and words[1] == "/"
    }
    for kind in sorted(kinds & set(_SNAPSHOTS)):
        by = f" with {tools[0]}" if tools else ""
        yield f"its root is on {_SNAPSHOTS[kind]}: a snapshot taken first{by} undoes everything"


def _names(target: Target, path: str) -> tuple[str, ...]:
    try:
        return target.names(path)
    except OSError:
        return ()


def _read(target: Target, path: str, limit: int) -> str:
    try:
        return from_bytes(target.read(path, limit))
    except (OSError, ValueError):
        return ""
