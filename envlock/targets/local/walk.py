"""Walk a root of this machine: every path with its metadata, in no particular order.

The walk stays on one file system: it enters no mount point below the root (network, automount,
proc or another disk), so that it cannot hang.  Another disk is a gap, because a part of the
environment may be on it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing, suppress

from envlock.model.tree import FORMAT_BITS, TYPE_OF_FORMAT, Entry, EntryType
from envlock.targets.base import IGNORED, ScanPlan
from envlock.targets.folder import Folder, Listing
from envlock.targets.local import walk_worker
from envlock.targets.local.walk_pool import WalkPool
from envlock.targets.local.walk_worker import ContentSelection, Exclusions, read_xattrs
from envlock.targets.mounts import is_reportable, may_hang


def walk(root: str, plan: ScanPlan, mounts: Mapping[str, str]) -> Generator[Folder]:
    """Yield every directory below `root` (empty for the machine's own), and the root itself."""
    for path, kind in sorted(mounts.items()):
        if is_reportable(path, kind):
            plan.on_gap(path, f"another file system ({kind}), not entered")
    with closing(WalkPool(root, plan.jobs)) as pool:
        for listing in pool.walk(_exclusions(root, plan, mounts), _selection(plan)):
            if _is_listed(listing, plan):
                yield _folder(listing, plan)


def signatures(root: str, plan: ScanPlan, mounts: Mapping[str, str]) -> dict[str, bytes]:
    """Return the signature of each directory that `walk` lists."""
    with closing(WalkPool(root, plan.jobs)) as pool:
        return pool.signatures(_exclusions(root, plan, mounts))


def list_directories(
    root: str, plan: ScanPlan, mounts: Mapping[str, str], folders: Iterable[str]
) -> Iterator[Folder]:
    """Yield these directories as they are now; one that cannot be listed has an empty signature."""
    no_children: Exclusions = (_untouched(root, plan, mounts), [], ("",), (), "")
    for folder in folders:
        listed, _ = walk_worker.walk((root, [folder], 1, no_children, _selection(plan)))
        for listing in map(Listing._make, listed):
            is_listed = _is_listed(listing, plan)
            yield _folder(listing if is_listed else listing._replace(signature=b""), plan)


def _selection(plan: ScanPlan) -> ContentSelection:
    return plan.hashes.plain if plan.digest else None


def _exclusions(root: str, plan: ScanPlan, mounts: Mapping[str, str]) -> Exclusions:
    others = f"(?s:{plan.prune.pattern})" if plan.prune else ""
    return (_untouched(root, plan, mounts), list(mounts), *plan.other_environments, others)


def _untouched(root: str, plan: ScanPlan, mounts: Mapping[str, str]) -> list[str]:
    """Return the paths that are not touched, not even by lstat."""
    own = [path.removeprefix(root) for path in plan.excluded if path.startswith(f"{root}/")]
    return [*own, *(path for path, kind in mounts.items() if may_hang(kind))]


def _is_listed(listing: Listing, plan: ScanPlan) -> bool:
    """False for a directory that cannot be listed, which is a gap unless it vanished."""
    if listing.failure not in (0, errno.ENOENT):
        plan.on_gap(listing.path or "/", _reason(listing.failure))
    return not listing.failure


def _folder(listing: Listing, plan: ScanPlan) -> Folder:
    folder = Folder(listing)
    if plan.prune is None:
        return folder
    paths = {name: f"{folder.path}/{name}" for name in folder.modes()[0]}
    hidden = {name: path for name, path in paths.items() if plan.prune.match(path)}
    for path in hidden.values():
        plan.on_gap(path, IGNORED)
    return Folder(listing, hidden)


def entry_of(path: str, status: os.stat_result, real: str) -> Entry:
    """Return the entry of one path from its lstat(2); `real` is the path on this machine."""
    mode = status.st_mode
    kind = TYPE_OF_FORMAT[mode & FORMAT_BITS]
    target, device = "", None
    if kind is EntryType.SYMLINK:
        with suppress(OSError):
            target = os.readlink(real)
    elif kind in (EntryType.CHAR, EntryType.BLOCK):
        device = (os.major(status.st_rdev), os.minor(status.st_rdev))
    size = status.st_size if kind is EntryType.FILE else 0
    xattrs = read_xattrs(real) if kind in (EntryType.FILE, EntryType.DIRECTORY) else ()
    mtime = status.st_mtime_ns // 10**9
    return Entry(
        path, kind, mode & 0o7777, status.st_uid, status.st_gid, mtime, size, target, device, xattrs
    )


def _reason(number: int) -> str:
    if number in (errno.EACCES, errno.EPERM):
        return "permission denied"
    return os.strerror(number)
