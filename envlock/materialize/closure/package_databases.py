"""Package databases of an image that holds some of the packages: they say what is there.

A database is a few files that list every package (dpkg's status, apk's installed) and others that
belong to one (dpkg's info, pacman's local).  Sources: dpkg(1), FILES; apk-tools' database.c;
pacman(8), the local database.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import NamedTuple

from envlock.errors import MaterializeError
from envlock.formats.debian.depends import parse_dependencies
from envlock.formats.debian.dpkg import Package, parse_list, parse_status
from envlock.model.text import from_bytes, to_bytes
from envlock.model.tree import EntryType, Row

_DPKG = "/var/lib/dpkg"
_STATUS = f"{_DPKG}/status"
_INFO = f"{_DPKG}/info/"
_STATUS_D = f"{_DPKG}/status.d/"
_APK = ("/lib/apk/db/installed", "/usr/lib/apk/db/installed")
_PACMAN = "/var/lib/pacman/local/"
_RPM = ("/var/lib/rpm/", "/usr/lib/sysimage/rpm/")
_APK_NAME = re.compile(r"^P:(.+)$", re.MULTILINE)
_PACMAN_ENTRY = re.compile(r"(.+)-[^-]+-[^-]+\Z")

Read = Callable[[Row], bytes]


class Database(NamedTuple):
    """What becomes of the package databases: paths to keep, and new content of some.

    `shared` are the paths that kept packages list as theirs, whichever package claims them first.
    """

    kept: frozenset[str]
    contents: Mapping[str, bytes]
    shared: frozenset[str] = frozenset()


def reduce_databases(rows: Mapping[str, Row], owners: Collection[str], read: Read) -> Database:
    """Return the databases of the packages `owners` (``deb libc6:amd64``) alone.

    Raise MaterializeError for a database that cannot be reduced.
    """
    if any(path.startswith(_RPM) for path in rows) and any(o.startswith("rpm ") for o in owners):
        raise MaterializeError(
            "the database of rpm cannot be reduced to some packages",
            hint="materialize without --root, which keeps all packages",
        )
    contents: dict[str, bytes] = {}
    if _is_file(rows, _STATUS):
        contents[_STATUS] = _reduce_status(read(rows[_STATUS]), owners)
    for path in _APK:
        if _is_file(rows, path):
            contents[path] = _reduce_apk(read(rows[path]), owners)
    kept = frozenset(path for path in rows if _is_kept(path, owners))
    lists = (path for path in kept if path.startswith(_INFO) and path.endswith(".list"))
    shared = (each for path in lists for each in parse_list(from_bytes(read(rows[path]))))
    return Database(kept | contents.keys(), contents, frozenset(shared))


def _is_file(rows: Mapping[str, Row], path: str) -> bool:
    return path in rows and rows[path].entry.type is EntryType.FILE


def _is_kept(path: str, owners: Collection[str]) -> bool:
    """True for a file of a database that belongs to a kept package, or to no single one."""
    if path.startswith(_INFO):
        stem, dot, _ = path.removeprefix(_INFO).rpartition(".")
        return not dot or any(f"deb {key}" in owners for key in _keys(stem, owners))
    if path.startswith(_STATUS_D):
        name = posixpath.basename(path).removesuffix(".md5sums")
        return any(f"deb {key}" in owners for key in _keys(name, owners))
    if path.startswith(_PACMAN):
        entry = path.removeprefix(_PACMAN).partition("/")[0]
        found = _PACMAN_ENTRY.match(entry)
        return found is None or f"pacman {found[1]}" in owners
    return path.startswith((f"{_DPKG}/", "/lib/apk/", "/usr/lib/apk/", "/etc/apk/")) or path in (
        _DPKG,
        "/var/lib/apt/extended_states",
    )


def _keys(stem: str, owners: Collection[str]) -> Iterator[str]:
    """Yield the keys that a file ``STEM.list`` may belong to."""
    if ":" in stem:
        yield stem
        return
    yield f"{stem}:all"
    yield from (f"{stem}:{arch}" for arch in {key.rpartition(":")[2] for key in owners})


def _reduce_status(raw: bytes, owners: Collection[str]) -> bytes:
    return b"".join(
        to_bytes(f"{block}\n\n")
        for block, package in _stanzas(raw)
        if f"deb {package.key}" in owners
    )


def _stanzas(raw: bytes) -> Iterator[tuple[str, Package]]:
    """Yield the stanzas of dpkg's status, and the package of each."""
    for block in from_bytes(raw).split("\n\n"):
        for package in parse_status(f"{block}\n\n").packages:
            yield block.strip("\n"), package


def _reduce_apk(raw: bytes, owners: Collection[str]) -> bytes:
    blocks = from_bytes(raw).split("\n\n")
    named = ((block.strip("\n"), _APK_NAME.search(block)) for block in blocks)
    kept = (block for block, name in named if name and f"apk {name[1]}" in owners)
    return b"".join(to_bytes(f"{block}\n\n") for block in kept)


def with_dependencies(owners: Collection[str], rows: Mapping[str, Row], read: Read) -> set[str]:
    """Return Debian packages and all that they depend on, so that dpkg and apt find them whole."""
    found = set(owners)
    if not _is_file(rows, _STATUS):
        return found
    packages = [package for _, package in _stanzas(read(rows[_STATUS])) if package.has_files]
    by_name: dict[str, list[Package]] = {}
    for package in packages:
        provided = (one.name for group in parse_dependencies(package.provides) for one in group)
        for name in dict.fromkeys((package.name, *provided)):
            by_name.setdefault(name, []).append(package)
    known = {f"deb {package.key}": package for package in packages}
    queue = [known[owner] for owner in sorted(found & known.keys())]
    while queue:
        package = queue.pop()
        for group in parse_dependencies(package.depends):
            installed = next((by_name[one.name] for one in group if one.name in by_name), ())
            fitting = [p for p in installed if p.arch in (package.arch, "all")] or installed
            for needed in fitting[:1]:
                if f"deb {needed.key}" not in found:
                    found.add(f"deb {needed.key}")
                    queue.append(needed)
    return found
