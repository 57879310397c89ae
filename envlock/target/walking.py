"""List directories with what is known of every name in them; the work of a walker's processes.

A machine has 400,000 paths, and asking the kernel about each takes longer in one interpreter than
all that is made of the answers.  This file is run by `envlock.target.worker`, so it imports the
standard library only.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import re
import stat
from contextlib import suppress
from operator import attrgetter
from typing import Any

Listing = tuple[
    str,
    bytes,
    bytes,
    int,
    list[tuple[int, int, int, int]],
    dict[str, str],
    dict[str, tuple[tuple[str, bytes], ...]],
    int,
]
"""A directory (below the root, ``""`` for the root), what is known of it as `unpack` reads it, the
digest of that, the newest of its times, then of each name uid, gid, device and number of a device,
the targets of symbolic links, attributes where they are asked for and there are any, and the errno
by which it could not be listed (0)."""

Known = tuple[int, int, int, int, int, int]
"""What is known of a name: mode, inode, size, mtime_ns, ctime_ns, number of links."""

Order = tuple[str, list[str], list[str], list[str]]
"""What to list: the root, directories below it, paths that are not to be touched, and in which of
the directories attributes are wanted."""

LeftOut = tuple[list[str], list[str], tuple[str, ...], tuple[str, ...], str]
"""Which paths are not to be touched, which directories are not entered, by what others begin, what
is in them, and a regular expression for the rest (or nothing)."""

Search = tuple[str, list[str], int, LeftOut]
"""What to sign: the root, directories below it from where to go down, how many names to look at
before there is an answer, and what to leave out."""

Signed = tuple[dict[str, bytes], list[str]]
"""A digest for each directory of all that is known of its names (empty when it could not be
listed), and the directories where there was no time to look."""

_KNOWN = attrgetter("st_mode", "st_ino", "st_size", "st_mtime_ns", "st_ctime_ns", "st_nlink")
_OTHERS = attrgetter("st_uid", "st_gid", "st_dev", "st_rdev")
_DIGEST_SIZE = 16


def answer(order: tuple[str, Any]) -> list[Listing] | Signed:
    """Carry out an order, going to each directory so that a name needs no path to be looked at."""
    what, details = order
    if what == "sign":
        return sign(details, is_alone=True)
    return listings(details, is_alone=True)


def listings(order: Order, *, is_alone: bool = False) -> list[Listing]:
    """Return a listing of each directory; a process that `is_alone` goes there."""
    root, directories, untouched, attributed = order
    with_xattrs = set(attributed)
    found: list[Listing] = []
    for path in directories:
        try:
            names, prefix = _names(f"{root}{path}", is_alone=is_alone)
        except OSError as error:
            failure = error.errno or 0
            found.append((path, pack([], []), b"", 0, [], {}, {}, failure))
            continue
        names = _touched(path, names, untouched)
        found.append(_list(path, names, prefix, path in with_xattrs))
    return found


def sign(search: Search, *, is_alone: bool = False) -> Signed:
    """Sign directories and what is below them: no change of a name, of metadata or of content
    leaves a signature as it is.
    """  # noqa: D205
    root, todo, most, (untouched, closed, begins, within, others) = search
    other = re.compile(others) if others else None
    signatures = {}
    count = 0
    while todo and count < most:
        path = todo.pop()
        try:
            names, prefix = _names(f"{root}{path}", is_alone=is_alone)
        except OSError:
            signatures[path] = b""
            continue
        names = _touched(path, names, untouched)
        known = list(map(_KNOWN, _look(names, prefix)))
        signatures[path] = digest(pack(names, known))
        count += len(names)
        for name, facts in zip(names, known, strict=True):
            if facts[0] & 0o170000 == stat.S_IFDIR:
                child = f"{path}/{name}"
                below = f"{child}/"
                if not (
                    child in closed
                    or below.startswith(begins)
                    or any(part in below for part in within)
                    or (other is not None and other.match(child))
                ):
                    todo.append(child)
    return signatures, todo


def _names(real: str, *, is_alone: bool) -> tuple[list[str], str]:
    """Return the sorted names in a directory, and what to put before one to look at it."""
    if is_alone:
        os.chdir(real or "/")
    names = os.listdir("." if is_alone else real or "/")
    names.sort()
    return names, "" if is_alone else f"{real}/"


def _touched(path: str, names: list[str], untouched: list[str]) -> list[str]:
    below = f"{path}/"
    if not any(each.startswith(below) for each in untouched):
        return names
    return [name for name in names if below + name not in untouched]


def _list(path: str, names: list[str], prefix: str, with_xattrs: bool) -> Listing:
    """List one directory; what vanished meanwhile is not in it."""
    statuses = _look(names, prefix)
    known: list[Known] = list(map(_KNOWN, statuses))
    targets: dict[str, str] = {}
    xattrs: dict[str, tuple[tuple[str, bytes], ...]] = {}
    for name, facts in zip(names, known, strict=True):
        kind = facts[0] & 0o170000
        if kind == stat.S_IFLNK:
            with suppress(OSError):
                targets[name] = os.readlink(prefix + name)
        elif with_xattrs and kind in (stat.S_IFREG, stat.S_IFDIR):
            found = read_xattrs(prefix + name)
            if found:
                xattrs[name] = found
    packed = pack(names, known)
    newest = max((max(facts[3:5]) for facts in known), default=0)
    return path, packed, digest(packed), newest, list(map(_OTHERS, statuses)), targets, xattrs, 0


def _look(names: list[str], prefix: str) -> list[os.stat_result]:
    """Return the status of each name, and drop from the list those that vanished meanwhile."""
    try:
        return list(map(os.lstat, [prefix + name for name in names] if prefix else names))
    except OSError:
        found = {}
        for name in names:
            with suppress(OSError):
                found[name] = os.lstat(prefix + name)
        names[:] = list(found)
        return list(found.values())


def pack(names: list[str], known: list[Known]) -> bytes:
    """Return the bytes that `unpack` reads; equal values give equal bytes."""
    return marshal.dumps((names, known), 1)  # version 1 of the format has no references


def unpack(packed: bytes) -> tuple[list[str], list[Known]]:
    """Return the names in a directory and what is known of each."""
    names, known = marshal.loads(packed)  # noqa: S302  written by a worker of our own
    return names, known


def digest(packed: bytes) -> bytes:
    """Return the signature of what is known."""
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
