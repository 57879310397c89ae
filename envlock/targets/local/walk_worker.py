"""List directories with what is known of every name in them; the work of a walker's processes.

A machine has 400,000 paths, and asking the kernel about each takes longer in one interpreter than
all that is made of the answers.  This file is run by `envlock.targets.local.worker_main`, so it
imports little, and of the standard library only.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import struct
from operator import attrgetter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

Xattrs = tuple[tuple[str, bytes], ...]

SignedStat = tuple[int, int, int, int, int, int]
"""What is known of a name: mode, inode, size, mtime_ns, ctime_ns, number of links."""

OwnerStat = tuple[int, int, int, int]
"""What else the kernel tells of a name: uid, gid, device, and the number of a device file."""

Exclusions = tuple[list[str], list[str], tuple[str, ...], tuple[str, ...], str]
"""Which paths are not to be touched, which directories are not entered, by what others begin, what
is in them, and a regular expression for the rest (or nothing)."""

ContentSelection = tuple[str, str, bool] | None
"""Whose content and attributes are asked for: regular expressions of the folders where everything
is and of paths, and whether the first tells all; None for nothing."""

WalkRequest = tuple[str, list[str], int, Exclusions, ContentSelection]
"""Where to look: the root, directories below it from where to go down, how many names to look at
before there is an answer, what to leave out, and what is asked for."""


RawListing = tuple[
    str,
    bytes,
    bytes,
    int,
    int,
    list[OwnerStat],
    dict[str, str],
    dict[str, Xattrs],
    list[int],
    list[int],
    int,
    int,
]
"""A directory as it was found: the fields of `envlock.targets.folder.Listing`."""

_KNOWN = attrgetter("st_mode", "st_ino", "st_size", "st_mtime_ns", "st_ctime_ns", "st_nlink")
_OTHER = attrgetter("st_uid", "st_gid", "st_dev", "st_rdev")
_FORMAT, _FILE, _DIRECTORY, _LINK = 0o170000, 0o100000, 0o040000, 0o120000  # inode(7)
_DIGEST_SIZE = 16
_LENGTH = struct.Struct("<I")

Columns = list[tuple[int, ...]]
"""What is known of names, a column for each of the facts of `SignedStat`."""


def answer(order: tuple[str, WalkRequest]) -> tuple[Any, list[str]]:
    """Carry out an order, going to each directory so that a name needs no path to be looked at."""
    what, search = order
    return (sign if what == "sign" else walk)(search, is_alone=True)


def walk(search: WalkRequest, *, is_alone: bool = False) -> tuple[list[RawListing], list[str]]:
    """Return what is told of each directory, and the directories where there was
    no time to look.  A process that `is_alone` goes there.
    """  # noqa: D205
    asked = _asked(search[-1])
    found: list[RawListing] = []

    def see(path: str, names: list[str], statuses: list[os.stat_result], prefix: str) -> Columns:
        listing, known = _listing(path, names, statuses, prefix, asked)
        found.append(listing)
        return known

    def fail(path: str, failure: int) -> None:
        found.append(_nothing(path, failure))

    return found, _descend(search, see, fail, is_alone=is_alone)


def sign(search: WalkRequest, *, is_alone: bool = False) -> tuple[dict[str, bytes], list[str]]:
    """Return a digest for each directory (empty when it could not be listed), and the directories
    where there was no time to look.

    No change of a name, of metadata or of content leaves the digest of its directory as it is.
    """  # noqa: D205
    signatures: dict[str, bytes] = {}

    def see(path: str, names: list[str], statuses: list[os.stat_result], _prefix: str) -> Columns:
        known = _columns(map(_KNOWN, statuses))
        signatures[path] = digest(_packed(names, known))
        return known

    def fail(path: str, _failure: int) -> None:
        signatures[path] = b""

    return signatures, _descend(search, see, fail, is_alone=is_alone)


def _descend(
    search: WalkRequest,
    see: Callable[[str, list[str], list[os.stat_result], str], Columns],
    fail: Callable[[str, int], None],
    *,
    is_alone: bool,
) -> list[str]:
    """Show each directory with the status of its names; return those there was no time for."""
    root, todo, most, (untouched, not_entered, begins, within, others), _ = search
    closed = frozenset(not_entered)
    other = _matcher(others) if others else None
    count = 0
    while todo and count < most:
        path = todo.pop()
        real = f"{root}{path}"
        try:
            if is_alone:
                os.chdir(real or "/")
            names = _touched(path, os.listdir("." if is_alone else real or "/"), untouched)
            names.sort()
            prefix = "" if is_alone else f"{real}/"
            statuses = _look(names, prefix)
        except OSError as error:
            fail(path, error.errno or 0)
            continue
        known = see(path, names, statuses, prefix)
        count += len(names) + 1
        for at, mode in enumerate(known[0] if known else ()):
            if mode & _FORMAT == _DIRECTORY:
                child = f"{path}/{names[at]}"
                below = f"{child}/"
                if not (
                    child in closed
                    or below.startswith(begins)
                    or any(part in below for part in within)
                    or (other is not None and other(child))
                ):
                    todo.append(child)
    return todo


def _touched(path: str, names: list[str], untouched: list[str]) -> list[str]:
    below = f"{path}/"
    if not any(each.startswith(below) for each in untouched):
        return names
    return [name for name in names if below + name not in untouched]


def _look(names: list[str], prefix: str) -> list[os.stat_result]:
    """Return the status of each name, and drop from the list those that vanished meanwhile.

    Raise PermissionError when the directory may be listed but not entered.
    """
    try:
        return list(map(os.lstat, [prefix + name for name in names] if prefix else names))
    except PermissionError:
        raise
    except OSError:
        statuses = {name: _ask(os.lstat, prefix + name) for name in names}
        found = {name: status for name, status in statuses.items() if status is not None}
        names[:] = list(found)
        return list(found.values())


def _ask(call: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
    """Return what a call of the system does, None when it fails."""
    try:
        return call(*arguments, **more)
    except OSError:
        return None


def _listing(
    path: str,
    names: list[str],
    statuses: list[os.stat_result],
    prefix: str,
    asked: Callable[[str, str], bool | None],
) -> tuple[RawListing, Columns]:
    """Return a listing of one directory, and what is known of its names."""
    if not names:
        return _nothing(path), []
    known = _columns(map(_KNOWN, statuses))
    modes, _, sizes, mtimes, ctimes, links = known
    others: list[OwnerStat] = list(map(_OTHER, statuses))
    formats = [mode & _FORMAT for mode in modes]
    files = [at for at, form in enumerate(formats) if form == _FILE]
    targets: dict[str, str] = {}
    if _LINK in formats:
        for name, form in zip(names, formats, strict=True):
            if form == _LINK:
                target = _ask(os.readlink, prefix + name)
                if target is not None:
                    targets[name] = target
    read, xattrs = _contents(path, names, formats, prefix, asked)
    packed = _packed(names, known)
    listing = (
        path,
        packed,
        digest(packed),
        max(*mtimes, *ctimes),
        len(names),
        others[:1] if len(set(others)) == 1 else others,
        targets,
        xattrs,
        read,
        [at for at in files if links[at] > 1],
        sum(sizes[at] for at in files),
        0,
    )
    return listing, known


def _nothing(path: str, failure: int = 0) -> RawListing:
    """Return what is told of a directory without names."""
    packed = pack([], [])
    return path, packed, digest(packed), 0, 0, [], {}, {}, [], [], 0, failure


def _contents(
    path: str,
    names: list[str],
    formats: list[int],
    prefix: str,
    asked: Callable[[str, str], bool | None],
) -> tuple[list[int], dict[str, Xattrs]]:
    """Return the places of the files whose content is asked for, and attributes that are."""
    read: list[int] = []
    xattrs: dict[str, Xattrs] = {}
    is_asked = asked(path, ".")
    if is_asked is False:
        return read, xattrs
    for at, form in enumerate(formats):
        name = names[at]
        if form in (_FILE, _DIRECTORY) and (is_asked or asked(path, name)):
            found = read_xattrs(prefix + name)
            if found:
                xattrs[name] = found
            if form == _FILE:
                read.append(at)
    return read, xattrs


def _asked(asked: ContentSelection) -> Callable[[str, str], bool | None]:
    """Return whether a name in a folder is asked for; of ``.`` all are, none, or it depends."""
    if asked is None:
        return lambda _folder, _name: False
    all_in, each, is_by_folder = asked
    holds, matches = _matcher(all_in), _matcher(each)

    def is_asked(folder: str, name: str) -> bool | None:
        if name != ".":
            return matches(f"{folder}/{name}") is not None
        if holds(f"{folder}/."):
            return True
        return False if is_by_folder else None

    return is_asked


def _matcher(expression: str) -> Callable[[str], Any]:
    import re  # which takes longer than all else that is imported here

    return re.compile(expression, re.DOTALL).match


def _columns(known: Iterable[Sequence[int]]) -> Columns:
    return list(zip(*known, strict=True))


def _packed(names: list[str], columns: Columns) -> bytes:
    # Version 1 of the format has no references: equal values give equal bytes.
    first: tuple[Any, ...] = (names, *columns[:1])
    rest: tuple[Any, ...] = tuple(columns[1:])
    head = marshal.dumps(first, 1)
    return _LENGTH.pack(len(head)) + head + marshal.dumps(rest, 1)


def pack(names: list[str], known: list[SignedStat]) -> bytes:
    """Return the bytes that `unpack` reads; equal values give equal bytes."""
    return _packed(names, _columns(known))


def unpack_modes(packed: bytes) -> tuple[list[str], Sequence[int]]:
    """Return the names in a directory and the mode of each, which is quicker than all of it."""
    (length,) = _LENGTH.unpack_from(packed)
    names, *modes = marshal.loads(packed[_LENGTH.size : _LENGTH.size + length])  # noqa: S302  ours
    return names, modes[0] if modes else ()


def unpack(packed: bytes) -> tuple[list[str], Columns]:
    """Return the names in a directory and what is known of them; nothing is of no names."""
    (length,) = _LENGTH.unpack_from(packed)
    names, *modes = marshal.loads(packed[_LENGTH.size : _LENGTH.size + length])  # noqa: S302  ours
    columns = marshal.loads(packed[_LENGTH.size + length :])  # noqa: S302
    return names, [*modes, *columns]


def signed_stats(columns: Columns) -> list[SignedStat]:
    """Return what is known of each name."""
    return list(zip(*columns, strict=True))


def digest(packed: bytes) -> bytes:
    """Return the signature of what is known."""
    return hashlib.blake2b(packed, digest_size=_DIGEST_SIZE).digest()


def read_xattrs(real: str) -> Xattrs:
    """Return file capabilities and user attributes; labels of security modules belong to a host."""
    try:
        names = os.listxattr(real, follow_symlinks=False)
    except OSError:
        return ()
    if not names:
        return ()
    kept = sorted(n for n in names if n == "security.capability" or n.startswith("user."))
    found = ((name, _ask(os.getxattr, real, name, follow_symlinks=False)) for name in kept)
    return tuple((name, value) for name, value in found if value is not None)
