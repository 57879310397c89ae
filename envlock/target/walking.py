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
    str, list[str], list[int], dict[str, str], dict[str, tuple[tuple[str, bytes], ...]], int
]
"""A directory (below the root, ``""`` for the root), the names in it, `FIELDS` numbers for each,
the targets of symbolic links, attributes where they are asked for and there are any, and the errno
by which it could not be listed (0)."""

FIELDS = 10
"""Numbers for each name: mode, uid, gid, size, mtime_ns, ctime_ns, device, inode, links, rdev."""

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
            found.append((path, b"", []) if signs else (path, [], [], {}, {}, error.errno or 0))
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
    numbers: list[int] = []
    targets: dict[str, str] = {}
    xattrs: dict[str, tuple[tuple[str, bytes], ...]] = {}
    vanished = set()
    for name in names:
        try:
            status = os.lstat(prefix + name)
        except OSError:
            vanished.add(name)
            continue
        mode = status.st_mode
        numbers += (
            mode, status.st_uid, status.st_gid, status.st_size, status.st_mtime_ns,
            status.st_ctime_ns, status.st_dev, status.st_ino, status.st_nlink, status.st_rdev,
        )  # fmt: skip
        kind = mode & 0o170000
        if kind == stat.S_IFLNK:
            with suppress(OSError):
                targets[name] = os.readlink(prefix + name)
        elif with_xattrs and kind in (stat.S_IFREG, stat.S_IFDIR):
            found = read_xattrs(prefix + name)
            if found:
                xattrs[name] = found
    if vanished:
        names = [name for name in names if name not in vanished]
    return path, names, numbers, targets, xattrs, 0


def _sign(path: str, names: list[str], prefix: str) -> Signature:
    """Sign one directory: no change of a name, of metadata or of content leaves it as it is."""
    facts: list[object] = [names]
    add = facts.append
    folders = []
    for name in names:
        try:
            status = os.lstat(prefix + name)
        except OSError:
            continue
        mode = status.st_mode
        add(mode)
        add(status.st_ino)
        add(status.st_size)
        add(status.st_mtime_ns)
        add(status.st_ctime_ns)
        if mode & 0o170000 == stat.S_IFDIR:
            folders.append(name)
    # Version 1 of the format has no references, so equal values give equal bytes.
    digest = hashlib.blake2b(marshal.dumps(facts, 1), digest_size=_DIGEST_SIZE).digest()
    return path, digest, folders


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
