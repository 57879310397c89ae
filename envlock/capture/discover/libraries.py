"""Shared libraries in a scan: their paths, logical locations, and what installed them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from envlock.capture.context import Context
from envlock.capture.discover.candidates import may_be_software
from envlock.model.text import sort_key
from envlock.model.tree import Entry, EntryType

_TEMPORARY = ("/tmp/", "/var/tmp/")  # noqa: S108  names in a target
_TOOLKIT_LIBRARIES = re.compile(
    r"(/(?:.*/)?(?>[^/]*?cuda)[^/]*)(?:/targets/[^/]+)?/(?:lib(?:64)?|compat)\Z"
)
_HOME = re.compile(r"(?:/home/[^/]+|/root)(?=/|\Z)")
_DIST_INFO = re.compile(r"(.+)-([^-]+)\.dist-info\Z")
_SEPARATORS = re.compile(r"[-_.]+")


def shared_libraries(context: Context) -> Iterator[Entry]:
    """Yield the files of the scan that are named like shared libraries, by path.

    Symbolic links, empty files (container engines leave them where a library was mounted) and the
    stubs that programs are linked with are skipped.
    """
    for entry in sorted(context.entries(may_be_software), key=lambda entry: sort_key(entry.path)):
        path = entry.path
        name = path[path.rfind("/") + 1 :]
        if not name.startswith("lib") or ".so" not in name:
            continue
        if "/stubs/" in path or path.startswith(_TEMPORARY):
            continue
        if entry.type is EntryType.HARDLINK or (entry.type is EntryType.FILE and entry.size):
            yield entry


def logical_location(path: str, owner: str) -> str:
    """Return a name for the location of a library that is the same on every machine.

    In a Python or conda environment that is the environment's name (``app``), followed by the
    Python distribution if that bundles the library with its own code (``app/torch``).  Elsewhere it
    is the root of the toolkit, or the directory with a home directory written ``~``.
    """
    section, _, record = owner.partition(" ")
    if section in ("python", "conda") and record:
        name, _, distribution = record.partition("/")
        return name if _is_vendor_package(section, distribution) else record
    folder = posixpath.dirname(path)
    toolkit = _TOOLKIT_LIBRARIES.match(folder)
    return _HOME.sub("~", toolkit[1] if toolkit else folder, count=1)


def _is_vendor_package(section: str, distribution: str) -> bool:
    return section == "conda" or distribution.startswith("nvidia-") or not distribution


def installed_by(owner: str) -> str:
    """Return the section of the package that owns a file, or ``file`` when none does."""
    return owner.partition(" ")[0] or "file"


def distribution_version(path: str, owner: str, context: Context) -> str:
    """Return the version of the Python distribution that a file belongs to, or empty."""
    section, _, record = owner.partition(" ")
    name = record.partition("/")[2]
    head, found, _ = path.rpartition("-packages/")
    if section != "python" or not name or not found:
        return ""
    for entry in context.names(f"{head}-packages"):
        match = _DIST_INFO.match(entry)
        if match and _SEPARATORS.sub("-", match[1]).lower() == name:
            return match[2]
    return ""
