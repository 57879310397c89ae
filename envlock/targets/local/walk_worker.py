"""List directories with the lstat(2) of every name in them: the work of a walk's processes.

A machine has 400,000 paths, and calling lstat on each takes longer in one interpreter than all
further processing.  `envlock.targets.local.worker_main` runs this file in worker processes, so it
imports little: from the standard library, and modules that do the same.
"""

from __future__ import annotations

import os
from operator import attrgetter

from envlock.targets.attributes import is_recorded
from envlock.targets.local.beneath import Beneath, path_of
from envlock.targets.packed_listing import OwnerStat, Xattrs, columns_of, digest, pack, pack_columns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from envlock.targets.packed_listing import Columns

Exclusions = tuple[list[str], list[str], tuple[str, ...], tuple[str, ...], str]
"""Paths that are not touched; then directories that are not entered: by path, by prefix, by
substring (of the path with a final slash), and by regular expression (empty for none)."""

ContentSelection = tuple[str, str, bool] | None
"""The files whose content and extended attributes are wanted: a regular expression of directories
in which all are, one of paths, and whether the first covers all that the second matches.  None
selects nothing."""

WalkRequest = tuple[str, list[str], int, Exclusions, ContentSelection]
"""One piece of a walk: the root, the directories to descend from (paths below the root), the number
of names after which to stop, what to leave out, and the files whose content is wanted."""


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
"""A listed directory: the fields of `envlock.targets.folder.Listing`."""

_SIGNED = attrgetter("st_mode", "st_ino", "st_size", "st_mtime_ns", "st_ctime_ns", "st_nlink")
_OWNER = attrgetter("st_uid", "st_gid", "st_dev", "st_rdev")
_FORMAT, _FILE, _DIRECTORY, _LINK = 0o170000, 0o100000, 0o040000, 0o120000  # inode(7)


def handle(request: tuple[str, WalkRequest]) -> tuple[Any, list[str]]:
    """Return the result of ``walk`` or ``signatures``, for a worker process.

    It changes into each directory, so that the kernel resolves no path for each name.
    """
    what, piece = request
    return (signatures if what == "signatures" else walk)(piece, may_chdir=True)


def walk(piece: WalkRequest, *, may_chdir: bool = False) -> tuple[list[RawListing], list[str]]:
    """Return a listing of each directory, and the directories that are left to walk."""
    is_selected = _selector(piece[-1])
    found: list[RawListing] = []

    def add(path: str, names: list[str], statuses: list[os.stat_result], prefix: str) -> Columns:
        listing, columns = _listing(path, names, statuses, prefix, is_selected)
        found.append(listing)
        return columns

    def fail(path: str, failure: int) -> None:
        found.append(_empty_listing(path, failure))

    return found, _descend(piece, add, fail, may_chdir=may_chdir)


def signatures(
    piece: WalkRequest, *, may_chdir: bool = False
) -> tuple[dict[str, bytes], list[str]]:
    """Return the signature of each directory, and the directories that are left to walk.

    Every change of a name, of metadata or of content in a directory changes its signature.  It is
    empty for a directory that cannot be listed.
    """
    found: dict[str, bytes] = {}

    def add(path: str, names: list[str], statuses: list[os.stat_result], _prefix: str) -> Columns:
        columns = columns_of(map(_SIGNED, statuses))
        found[path] = digest(pack_columns(names, columns))
        return columns

    def fail(path: str, _failure: int) -> None:
        found[path] = b""

    return found, _descend(piece, add, fail, may_chdir=may_chdir)


def _descend(
    piece: WalkRequest,
    add: Callable[[str, list[str], list[os.stat_result], str], Columns],
    fail: Callable[[str, int], None],
    *,
    may_chdir: bool,
) -> list[str]:
    """Call `add` for each directory, or `fail` with an errno; return the directories left."""
    root, todo, most, (untouched, not_entered, prefixes, substrings, others), _ = piece
    closed = frozenset(not_entered)
    is_other = _matcher(others) if others else None
    count = 0
    with Beneath(root) as beneath:
        while todo and count < most:
            path = todo.pop()
            try:
                here = beneath.directory(path)
                if may_chdir:
                    os.fchdir(here)
                names = _touchable(path, os.listdir("." if may_chdir else path_of(here)), untouched)
                names.sort()
                prefix = "" if may_chdir else f"{path_of(here)}/"
                statuses = _lstat_all(names, prefix)
            except OSError as error:
                fail(path, error.errno or 0)
                continue
            columns = add(path, names, statuses, prefix)
            count += len(names) + 1
            for at, mode in enumerate(columns[0] if columns else ()):
                if mode & _FORMAT == _DIRECTORY:
                    child = f"{path}/{names[at]}"
                    below = f"{child}/"
                    if not (
                        child in closed
                        or below.startswith(prefixes)
                        or any(part in below for part in substrings)
                        or (is_other is not None and is_other(child))
                    ):
                        todo.append(child)
    return todo


def _touchable(path: str, names: list[str], untouched: list[str]) -> list[str]:
    below = f"{path}/"
    if not any(each.startswith(below) for each in untouched):
        return names
    return [name for name in names if below + name not in untouched]


def _lstat_all(names: list[str], prefix: str) -> list[os.stat_result]:
    """Return the status of each name; remove names from the list that vanished meanwhile.

    Raise PermissionError when the directory may be listed but not entered.
    """
    try:
        return list(map(os.lstat, [prefix + name for name in names] if prefix else names))
    except PermissionError:
        raise
    except OSError:
        statuses = {name: _try(os.lstat, prefix + name) for name in names}
        found = {name: status for name, status in statuses.items() if status is not None}
        names[:] = list(found)
        return list(found.values())


def _try(call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Return the result of a system call, None when it fails."""
    try:
        return call(*arguments, **options)
    except OSError:
        return None


def _listing(
    path: str,
    names: list[str],
    statuses: list[os.stat_result],
    prefix: str,
    is_selected: Callable[[str, str], bool | None],
) -> tuple[RawListing, Columns]:
    """Return the listing of one directory, and its columns."""
    if not names:
        return _empty_listing(path), []
    columns = columns_of(map(_SIGNED, statuses))
    modes, _, sizes, mtimes, ctimes, links = columns
    owners: list[OwnerStat] = list(map(_OWNER, statuses))
    formats = [mode & _FORMAT for mode in modes]
    files = [at for at, form in enumerate(formats) if form == _FILE]
    targets: dict[str, str] = {}
    if _LINK in formats:
        for name, form in zip(names, formats, strict=True):
            if form == _LINK:
                target = _try(os.readlink, prefix + name)
                if target is not None:
                    targets[name] = target
    to_read, xattrs = _selected(path, names, formats, prefix, is_selected)
    packed = pack_columns(names, columns)
    listing = (
        path,
        packed,
        digest(packed),
        max(*mtimes, *ctimes),
        len(names),
        owners[:1] if len(set(owners)) == 1 else owners,
        targets,
        xattrs,
        to_read,
        [at for at in files if links[at] > 1],
        sum(sizes[at] for at in files),
        0,
    )
    return listing, columns


def _empty_listing(path: str, failure: int = 0) -> RawListing:
    """Return the listing of a directory without names."""
    packed = pack([], [])
    return path, packed, digest(packed), 0, 0, [], {}, {}, [], [], 0, failure


def _selected(
    path: str,
    names: list[str],
    formats: list[int],
    prefix: str,
    is_selected: Callable[[str, str], bool | None],
) -> tuple[list[int], dict[str, Xattrs]]:
    """Return the positions of the selected files, and the extended attributes of selected names."""
    to_read: list[int] = []
    xattrs: dict[str, Xattrs] = {}
    is_whole = is_selected(path, ".")
    if is_whole is False:
        return to_read, xattrs
    for at, form in enumerate(formats):
        name = names[at]
        if form in (_FILE, _DIRECTORY) and (is_whole or is_selected(path, name)):
            found = read_xattrs(prefix + name)
            if found:
                xattrs[name] = found
            if form == _FILE:
                to_read.append(at)
    return to_read, xattrs


def _selector(selection: ContentSelection) -> Callable[[str, str], bool | None]:
    """Return a function that says whether a name in a directory is selected.

    For the name ``.`` it returns True when all names are, False when none is, else None.
    """
    if selection is None:
        return lambda _directory, _name: False
    whole_directories, paths, is_by_directory = selection
    matches_directory, matches_path = _matcher(whole_directories), _matcher(paths)

    def is_selected(directory: str, name: str) -> bool | None:
        if name != ".":
            return matches_path(f"{directory}/{name}") is not None
        if matches_directory(f"{directory}/."):
            return True
        return False if is_by_directory else None

    return is_selected


def _matcher(expression: str) -> Callable[[str], Any]:
    import re  # slower to import than everything else here together

    return re.compile(expression, re.DOTALL).match


def read_xattrs(real: str) -> Xattrs:
    """Return the extended attributes that are recorded: capabilities, access lists, and others."""
    try:
        names = os.listxattr(real, follow_symlinks=False)
    except OSError:
        return ()
    if not names:
        return ()
    kept = sorted(filter(is_recorded, names))
    found = ((name, _try(os.getxattr, real, name, follow_symlinks=False)) for name in kept)
    return tuple((name, value) for name, value in found if value is not None)
