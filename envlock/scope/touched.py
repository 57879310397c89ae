"""From the files that a run touched to a trace: packages by record, other software by path.

Data is left out: of the files that no package owns, only programs, libraries and configuration of
the system are named.  Nothing that is a secret by its name or place is, whoever owns it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from envlock.model.trace import TouchedKind, Trace
from envlock.model.tree import EntryType
from envlock.scope.graph import Item
from envlock.scope.view import View
from envlock.secrets.file_names import is_named_secret
from envlock.secrets.records import clean_name

OS_PACKAGES = ("deb", "rpm", "apk", "pacman", "opkg", "chisel")
"""Sections whose packages have other names on another system."""

_KERNEL = ("/proc/", "/sys/", "/dev/", "/run/")
_TEMPORARY = ("/tmp/", "/var/tmp/")  # noqa: S108  in a target
_CONFIG = ("/etc/", "/usr/local/etc/")
_GENERATED = frozenset({"/etc/ld.so.cache", "/etc/machine-id", "/etc/mtab"})
_SHARED = re.compile(r"\.so(?:\.\d+)*\Z")
_OTHER_LIBRARIES = (".node", ".jar")
_COMPILED = re.compile(r"(.*/)__pycache__/([^/.]+)\.[a-z]+-\d+[a-z]*(?:\.opt-\d)?\.pyc\Z")
_METADATA = re.compile(r"\.(?:dist|egg)-info/[^/]+\Z")
"""Read of every distribution, used or not, by whoever looks for entry points."""
_HOME = re.compile(r"(?:/root|/home/[^/]+)/")
_MARK = "#!"


def trace_of(opened: Collection[str], executed: Collection[str], view: View) -> Trace:
    """Return the trace of a run.

    `opened` are files without links in their paths, `executed` programs as they were named.
    """
    programs = set(_programs(executed, view))
    records: dict[str, set[str]] = {}
    files: dict[str, TouchedKind] = {}
    for path in sorted(programs | set(opened)):
        if path.startswith(_KERNEL) or _METADATA.search(path):
            continue
        if not _is_kept(path, view) or _is_secret(path):
            continue
        owner = view.owner(path) or view.owner(_source(path))
        kind = _kind(path, view, is_program=path in programs)
        if owner:
            item = Item.of_owner(owner)
            found = records.setdefault(item.name, set())
            is_code = kind in (TouchedKind.PROGRAM, TouchedKind.LIBRARY)
            found.update({path} if is_code and item.section in OS_PACKAGES else ())
        if kind and (not owner or kind is TouchedKind.CONFIG):
            files[_HOME.sub("~/", path, count=1)] = kind
    return Trace.joined([Trace({name: tuple(found) for name, found in records.items()}, files)])


def touched_files(opened: Collection[str], executed: Collection[str], view: View) -> set[str]:
    """Return the real paths whose owners `trace_of` asks for."""
    paths = {*_programs(executed, view), *opened}
    paths = {path for path in paths if not path.startswith(_KERNEL) and _is_kept(path, view)}
    return paths | {_source(path) for path in paths}


def _is_kept(path: str, view: View) -> bool:
    """True for what is still there and no directory.

    Packages share directories, and whoever lists one needs none of them.
    """
    entry = view.stat(path)
    return entry is not None and entry.type is not EntryType.DIRECTORY


def _is_secret(path: str) -> bool:
    return is_named_secret(path) or clean_name(path) != path


def _programs(executed: Collection[str], view: View) -> Iterator[str]:
    """Yield the files that were executed, and the interpreters that the kernel took for scripts."""
    for path in executed:
        real = view.resolve(path)
        yield real
        line = view.first_line(real)
        if line.startswith(_MARK):
            yield view.resolve(line.removeprefix(_MARK).strip().partition(" ")[0])


def _kind(path: str, view: View, *, is_program: bool) -> TouchedKind | None:
    """Return what a file is; None for data, and for what is not there any more."""
    entry = view.stat(path)
    is_file = entry is not None and entry.type in (EntryType.FILE, EntryType.HARDLINK)
    if not is_file or path.startswith(_TEMPORARY) or path in _GENERATED:
        return None
    if is_program:
        return TouchedKind.PROGRAM
    if path.endswith(_OTHER_LIBRARIES) or (_SHARED.search(path) and view.linkage(path)):
        return TouchedKind.LIBRARY
    return TouchedKind.CONFIG if path.startswith(_CONFIG) else None


def _source(path: str) -> str:
    """Return the source that a compiled Python file comes from, any other path as it is."""
    found = _COMPILED.match(path)
    return f"{found[1]}{found[2]}.py" if found else path
