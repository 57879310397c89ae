"""Discovery of software that no package owns, and which of its files are reported together.

A program in a directory of programs is reported by itself; a directory of its own below /opt, /srv
or /usr/local is reported as one tree.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from envlock.capture.context import Context
from envlock.capture.discover.candidates import may_be_software
from envlock.model.text import sort_key
from envlock.model.tree import Entry

_TREES = re.compile(
    r"(/opt/[^/]+|/srv/[^/]+|/usr/local/(?:lib|lib64|libexec|share)/[^/]+"
    r"|/usr/local/(?!(?:bin|sbin|lib|lib64|libexec|share|etc|games|include|man|src)/)[^/]+)/."
)
_ROOTS = ("/usr/local/", "/opt/", "/srv/")
_HOME = re.compile(r"(/root|/home/[^/]+)/((?:\.local/|go/|\.cargo/)?bin/[^/]+)\Z")
_SYSTEM = re.compile(r"(/(?:usr/)?s?bin)/[^/]+\Z|(/(?:usr/)?lib(?:64)?(?:/[^/]+-linux-[^/]+)?)/lib")
_LIBRARY = re.compile(r"\.so(?:\.\d+)*\Z")


class UnownedFile(NamedTuple):
    """A file that is software and has no owner.

    `reported_as` is the path it is reported under, its own or that of the tree it belongs to, with
    home directories written ``~``.
    """

    entry: Entry
    reported_as: str
    is_tree: bool


def find_unowned_software(context: Context) -> list[UnownedFile]:
    """Return the programs, libraries and archives without an owner, by path."""
    homes: set[str] = set()
    found: list[tuple[Entry, str]] = []
    managed: dict[str, bool] = {}
    for entry in context.entries(may_be_software):
        if "/.git/" in entry.path:
            continue  # hooks are compared as files
        home = _HOME.match(entry.path) if entry.path.startswith(("/root/", "/home/")) else None
        if home is not None:
            homes.add(home[1])
        elif not entry.path.startswith(_ROOTS) and not _is_among_packaged(
            entry.path, managed, context
        ):
            continue
        if not context.owner(entry.path):
            found.append((entry, home[2] if home else ""))
    names = _home_names(homes)
    units = (_found(entry, in_home, names) for entry, in_home in found)
    return sorted(units, key=lambda each: sort_key(each.entry.path))


def is_software_location(path: str) -> bool:
    """True for a path at which the software section records a program without an owner."""
    if path.startswith(_ROOTS) or _HOME.match(path):
        return True
    match = _SYSTEM.match(path)
    return match is not None and (bool(match[1]) or is_library(path))


def is_library(name: str) -> bool:
    """True for the file name of a shared library."""
    return _LIBRARY.search(name) is not None


def _is_among_packaged(path: str, managed: dict[str, bool], context: Context) -> bool:
    """True for a path in a system directory that also holds packaged files.

    Where no file of such a directory has an owner, no package database was read, so a missing owner
    means nothing.
    """
    match = _SYSTEM.match(path)
    if match is None or (match[2] and not is_library(path)):
        return False
    folder = path.rpartition("/")[0]
    if folder not in managed:
        managed[folder] = any(context.owner(f"{folder}/{name}") for name in context.names(folder))
    return managed[folder]


def _home_names(homes: set[str]) -> dict[str, str]:
    """Return a name for each home directory that does not reveal the account."""
    ordered = sorted(homes, key=sort_key)
    return {home: f"~{number}" if number > 1 else "~" for number, home in enumerate(ordered, 1)}


def _found(entry: Entry, in_home: str, names: dict[str, str]) -> UnownedFile:
    if in_home:
        home = entry.path[: -len(in_home) - 1]
        return UnownedFile(entry, f"{names[home]}/{in_home}", is_tree=False)
    tree = _TREES.match(entry.path)
    # A library directly in /usr/local/lib matches no tree: the pattern needs a directory.
    return UnownedFile(entry, tree[1] if tree else entry.path, is_tree=tree is not None)
