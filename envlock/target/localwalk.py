"""Walk a root of this machine: every path with its metadata, in no particular order.

The walk stays on one file system: it enters no mount point below the root (network, automount,
proc or another disk), so it can neither hang nor wander off.  Another disk that is left out is a
gap, since an environment may well live there.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress

from envlock.model.stat import StatKey
from envlock.model.tree import FORMAT_BITS, TYPE_OF_FORMAT, Entry, EntryType
from envlock.target.base import IGNORED, Folder, ScanPlan
from envlock.target.mounts import is_worth_a_word, may_hang
from envlock.target.walking import Listing, listings, read_xattrs, unpack
from envlock.target.walkpool import WalkPool

_FILE, _DIRECTORY = EntryType.FILE, EntryType.DIRECTORY


Found = tuple[Entry, StatKey | None, tuple[int, int] | None]
"""A path of a walk, the key of a file whose content is asked for, and device and inode of a file
that has several names."""


def walk(root: str, plan: ScanPlan, mounts: Mapping[str, str]) -> Iterator[Found]:
    """Yield every path below `root` (empty for the machine's own), and the root itself."""
    for path, kind in sorted(mounts.items()):
        if is_worth_a_word(path, kind):
            plan.on_gap(path, f"another file system ({kind}), not entered")
    untouched = _untouched(root, plan, mounts)
    yield entry_of("/", os.lstat(root or "/"), root or "/"), None, None
    with closing(WalkPool(root, plan.jobs)) as pool:
        for listing in pool.listings(untouched, lambda folder: _is_read(folder, plan) is True):
            directory, failure = listing[0], listing[-1]
            _note_failure(directory, failure, plan)
            if not failure:
                plan.on_folder(Folder(*listing[:4]))
            found = found_in(root, listing, plan)
            for entry, _, _ in found:
                if entry.type is _DIRECTORY and _is_entered(entry.path, plan, mounts):
                    pool.enter(entry.path)
            yield from found


def sign(root: str, plan: ScanPlan, mounts: Mapping[str, str]) -> dict[str, bytes]:
    """Return the signature of each directory that `walk` would list."""
    others = f"(?s:{plan.prune.pattern})" if plan.prune else ""
    with closing(WalkPool(root, plan.jobs)) as pool:
        return pool.sign((_untouched(root, plan, mounts), list(mounts), *plan.elsewhere, others))


def list_again(
    root: str, plan: ScanPlan, mounts: Mapping[str, str], folders: Iterable[str]
) -> Iterator[Listing]:
    """Yield a listing of each of the directories."""
    wanted = list(folders)
    attributed = [folder for folder in wanted if _is_read(folder, plan)]
    for listing in listings((root, wanted, _untouched(root, plan, mounts), attributed)):
        _note_failure(listing[0], listing[-1], plan)
        yield listing


def _is_read(folder: str, plan: ScanPlan) -> bool | None:
    """Return whether content and attributes of all in a folder are asked for; None: it depends."""
    return plan.digest and plan.hashes.all_in(folder)


def _untouched(root: str, plan: ScanPlan, mounts: Mapping[str, str]) -> list[str]:
    """Return the paths that are not even looked at."""
    own = [path.removeprefix(root) for path in plan.own if path.startswith(f"{root}/")]
    return [*own, *(path for path, kind in mounts.items() if may_hang(kind))]


def _note_failure(directory: str, failure: int, plan: ScanPlan) -> None:
    if failure not in (0, errno.ENOENT):
        plan.on_gap(directory or "/", _why(failure))


def _is_entered(path: str, plan: ScanPlan, mounts: Mapping[str, str]) -> bool:
    """True when what lies in a directory belongs to the environment."""
    return path not in mounts and not plan.elsewhere.hold(f"{path}/")


def found_in(root: str, listing: Listing, plan: ScanPlan) -> list[Found]:
    """Return every path directly in a directory."""
    directory, packed, _, _, others, targets, xattrs, _ = listing
    names, known = unpack(packed)
    prune, hashes = plan.prune, plan.hashes
    is_read = _is_read(directory, plan)
    found: list[Found] = []
    for name, facts, more in zip(names, known, others, strict=True):
        mode, inode, size, mtime, ctime, links = facts
        uid, gid, device, number = more
        path = f"{directory}/{name}"
        if prune is not None and prune.match(path):
            plan.on_gap(path, IGNORED)
            continue
        kind = TYPE_OF_FORMAT[mode & FORMAT_BITS]
        wanted = hashes(path) if is_read is None else is_read
        attributes = xattrs.get(name, ())
        if wanted and is_read is None and kind in (_FILE, _DIRECTORY):
            # Attributes are part of a tree, which is only recorded when everything is read.
            attributes = read_xattrs(root + path)
        mode, time = mode & 0o7777, mtime // 10**9
        if kind is _FILE:
            entry = Entry(path, kind, mode, uid, gid, time, size, "", None, attributes)
            key = StatKey(path, device, inode, size, mtime, ctime) if wanted else None
            found.append((entry, key, (device, inode) if links > 1 else None))
            continue
        is_device = kind in (EntryType.CHAR, EntryType.BLOCK)
        numbered = (os.major(number), os.minor(number)) if is_device else None
        target = targets.get(name, "")
        entry = Entry(path, kind, mode, uid, gid, time, 0, target, numbered, attributes)
        found.append((entry, None, None))
    return found


def entry_of(path: str, status: os.stat_result, real: str) -> Entry:
    """Return one path by what `lstat` says of it."""
    mode = status.st_mode
    kind = TYPE_OF_FORMAT[mode & FORMAT_BITS]
    target, device = "", None
    if kind is EntryType.SYMLINK:
        with suppress(OSError):
            target = os.readlink(real)
    elif kind in (EntryType.CHAR, EntryType.BLOCK):
        device = (os.major(status.st_rdev), os.minor(status.st_rdev))
    size = status.st_size if kind is _FILE else 0
    xattrs = read_xattrs(real) if kind in (_FILE, _DIRECTORY) else ()
    mtime = status.st_mtime_ns // 10**9
    return Entry(
        path, kind, mode & 0o7777, status.st_uid, status.st_gid, mtime, size, target, device, xattrs
    )


def _why(number: int) -> str:
    if number in (errno.EACCES, errno.EPERM):
        return "permission denied"
    return os.strerror(number)
