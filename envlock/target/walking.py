"""List directories with what is known of every name in them; the work of a walker's processes.

A machine has 400,000 paths, and asking the kernel about each takes longer in one interpreter than
all that is made of the answers.  This file is run by `envlock.target.worker`, so it imports the
standard library only.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import stat
from contextlib import suppress

Listing = tuple[
    str,
    bytes,
    bytes,
    int,
    tuple[list[int], ...],
    dict[str, str],
    dict[str, tuple[tuple[str, bytes], ...]],
    int,
]
"""A directory (below the root, ``""`` for the root), what is known of it as `unpack` reads it, the
digest of that, the newest of its times, then of each name uid, gid, device and number of a device,
the targets of symbolic links, attributes where they are asked for and there are any, and the errno
by which it could not be listed (0)."""

Columns = tuple[list[str], list[int], list[int], list[int], list[int], list[int], list[int]]
"""The names in a directory and of each: mode, inode, size, mtime_ns, ctime_ns, number of links."""

Signature = tuple[str, bytes, list[str]]
"""A directory, a digest of all that is known of its names (empty when it could not be listed), and
which of them are directories."""

Order = tuple[bool, str, list[str], list[str], bool]
"""What to do: sign rather than list; the root; directories below it; paths that are not to be
touched; whether attributes are wanted."""

_DIGEST_SIZE = 16


def answer(order: Order) -> list[Listing | Signature]:
    """Carry out an order, going to each directory so that a name needs no path to be looked at."""
    return _answer(order, is_alone=True)


def answer_here(order: Order) -> list[Listing | Signature]:
    """Carry out an order in a process that has other work to do, and so stays where it is."""
    return _answer(order, is_alone=False)


def _answer(order: Order, *, is_alone: bool) -> list[Listing | Signature]:
    signs, root, directories, untouched, with_xattrs = order
    found: list[Listing | Signature] = []
    for path in directories:
        real = f"{root}{path}" or "/"
        try:
            if is_alone:
                os.chdir(real)
            names = os.listdir("." if is_alone else real)
        except OSError as error:
            found.append((path, b"", []) if signs else _unlisted(path, error))
            continue
        names.sort()
        if untouched:
            names = [name for name in names if f"{path}/{name}" not in untouched]
        prefix = "" if is_alone else f"{root}{path}/"
        if signs:
            found.append(_sign(path, names, prefix))
        else:
            found.append(_list(path, names, prefix, with_xattrs))
    return found


def _list(path: str, names: list[str], prefix: str, with_xattrs: bool) -> Listing:
    """List one directory; what vanished meanwhile is not in it."""
    statuses = _look(names, prefix)
    modes = [status.st_mode for status in statuses]
    packed, newest = _packed(names, statuses)
    targets: dict[str, str] = {}
    xattrs: dict[str, tuple[tuple[str, bytes], ...]] = {}
    for name, mode in zip(names, modes, strict=True):
        kind = mode & 0o170000
        if kind == stat.S_IFLNK:
            with suppress(OSError):
                targets[name] = os.readlink(prefix + name)
        elif with_xattrs and kind in (stat.S_IFREG, stat.S_IFDIR):
            found = read_xattrs(prefix + name)
            if found:
                xattrs[name] = found
    others = (
        [status.st_uid for status in statuses],
        [status.st_gid for status in statuses],
        [status.st_dev for status in statuses],
        [status.st_rdev for status in statuses],
    )
    return path, packed, _digest(packed), newest, others, targets, xattrs, 0


def _unlisted(path: str, error: OSError) -> Listing:
    packed, newest = _packed([], [])
    return path, packed, b"", newest, ([], [], [], []), {}, {}, error.errno or 0


def _sign(path: str, names: list[str], prefix: str) -> Signature:
    """Sign one directory: no change of a name, of metadata or of content leaves it as it is."""
    statuses = _look(names, prefix)
    folders = [
        name
        for name, status in zip(names, statuses, strict=True)
        if status.st_mode & 0o170000 == stat.S_IFDIR
    ]
    return path, _digest(_packed(names, statuses)[0]), folders


def _look(names: list[str], prefix: str) -> list[os.stat_result]:
    """Return the status of each name, and drop from the list those that vanished meanwhile."""
    lstat = os.lstat
    try:
        return [lstat(prefix + name) for name in names]
    except OSError:
        found = {}
        for name in names:
            with suppress(OSError):
                found[name] = lstat(prefix + name)
        names[:] = list(found)
        return list(found.values())


def _packed(names: list[str], statuses: list[os.stat_result]) -> tuple[bytes, int]:
    mtimes = [status.st_mtime_ns for status in statuses]
    ctimes = [status.st_ctime_ns for status in statuses]
    columns: Columns = (
        names,
        [status.st_mode for status in statuses],
        [status.st_ino for status in statuses],
        [status.st_size for status in statuses],
        mtimes,
        ctimes,
        [status.st_nlink for status in statuses],
    )
    return pack(columns), max(mtimes + ctimes, default=0)


def pack(columns: Columns) -> bytes:
    """Return the bytes that `unpack` reads; equal values give equal bytes."""
    return marshal.dumps(columns, 1)  # version 1 of the format has no references


def unpack(packed: bytes) -> Columns:
    """Return what is known of the names in a directory."""
    columns: Columns = marshal.loads(packed)  # noqa: S302  written by a worker of our own
    return columns


def _digest(packed: bytes) -> bytes:
    return hashlib.blake2b(packed, digest_size=_DIGEST_SIZE).digest()


def read_xattrs(real: str) -> tuple[tuple[str, bytes], ...]:
    """Return file capabilities and user attributes; labels of security modules belong to a host."""
    try:
        names = os.listxattr(real, follow_symlinks=False)
    except OSError:
        return ()
    if not names:
        return ()
    kept = sorted(n for n in names if n == "security.capability" or n.startswith("user."))
    found = []
    for name in kept:
        with suppress(OSError):
            found.append((name, os.getxattr(real, name, follow_symlinks=False)))
    return tuple(found)
