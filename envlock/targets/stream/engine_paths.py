"""Leave out of a container what its engine made when it created the container.

An engine adds mount points that the image lacks (moby, daemon/initlayer): empty, and with the time
of their creation, which also becomes the time of the directory they are in.  Without them, an image
that is captured twice gives the same bytes.  Some engines lay such a file over that of the image,
whose content cannot be seen in a container then; `oci:` reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from envlock.model.tree import EntryType
from envlock.targets.stream.file_tree import FileTree

_INJECTED = frozenset(
    {
        "/.dockerenv",
        "/dev/console",
        "/dev/pts",
        "/dev/shm",  # noqa: S108  a name in a target
        "/etc/hostname",
        "/etc/hosts",
        "/etc/mtab",
        "/etc/resolv.conf",
        "/proc",
        "/sys",
    }
)
_KEPT = frozenset({"/", "/dev", "/etc"})
"""Directories that it changes in each container: nothing tells whether the image has them."""
_TOLERANCE = 1
"""Seconds by which the clock of a file system may be behind."""


def remove_engine_paths(tree: FileTree, created: int, mounts: Iterable[str] = ()) -> None:
    """Remove what the engine made at or after `created`, in seconds since the epoch.

    These are the usual mount points, and `mounts` with the directories above them, where they are
    empty.  A directory in which it made something gets the time of the newest path in it.
    """
    since = created - _TOLERANCE
    changed: set[str] = set()
    above = {folder for mount in mounts for folder in (mount, *_above(mount))}
    for path in sorted(_INJECTED | above - _KEPT, reverse=True):
        if _is_made(path, tree, since):
            del tree.entries[path]
            tree.contents.pop(path, None)
            changed.update(_above(path))
    for path in sorted(changed, reverse=True):
        entry = tree.entries.get(path)
        if entry is not None and entry.mtime >= since:
            inside = (tree.entries[f"{path.rstrip('/')}/{name}"] for name in tree.children(path))
            times = (child.mtime for child in inside if child.mtime < since)
            tree.entries[path] = entry._replace(mtime=max(times, default=0))


def _is_made(path: str, tree: FileTree, since: int) -> bool:
    entry = tree.entries.get(path)
    if entry is None or entry.mtime < since:
        return False
    if entry.type is EntryType.DIRECTORY:
        return not tree.children(path)
    return entry.size == 0 and entry.type is not EntryType.HARDLINK


def _above(path: str) -> Iterator[str]:
    while path != "/":
        path = path.rpartition("/")[0] or "/"
        yield path
