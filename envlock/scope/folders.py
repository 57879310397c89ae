"""Files below a directory, found within limits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from envlock.model.tree import EntryType
from envlock.scope.graph import Around, File

_LIBRARY = re.compile(r"\.(?:so(?:\.[\d.]+)?|node)\Z")
_SKIPPED = frozenset({".git", ".hg", ".tox", ".nox", ".cache", "__pycache__", ".mypy_cache"})
_MOST_FOLDERS = 20_000


def files_below(folder: str, around: Around, *, most: int = _MOST_FOLDERS) -> Iterator[str]:
    """Yield the paths of the regular files below a directory; links are not followed.

    After `most` directories the rest is a gap.
    """
    waiting, count = [folder], 0
    while waiting:
        current = waiting.pop()
        count += 1
        if count > most:
            around.view.gap(folder, f"more than {most} directories below it")
            return
        below = []
        for name in around.view.names(current):
            path = f"{current.rstrip('/')}/{name}"
            entry = around.view.stat(path)
            if entry is None or name in _SKIPPED:
                continue
            if entry.type is EntryType.DIRECTORY:
                below.append(path)
            elif entry.type in (EntryType.FILE, EntryType.HARDLINK):
                yield path
        waiting += reversed(below)


def libraries_below(folder: str, around: Around) -> Iterator[File]:
    """Yield the libraries below a directory, known by their names."""
    return (File(path) for path in files_below(folder, around) if _LIBRARY.search(path))


def expand(pattern: str, around: Around) -> Iterator[str]:
    """Yield the existing paths that an absolute pattern matches, sorted.

    ``*``, ``?`` and ``[…]`` stand for what they do in a shell, within one name.
    """
    found = [""]
    for part in pattern.split("/")[1:]:
        if not any(sign in part for sign in "*?["):
            found = [f"{path}/{part}" for path in found]
            continue
        found = [
            f"{path}/{name}"
            for path in found
            for name in around.view.names(path or "/")
            if fnmatchcase(name, part) and (name[0] != "." or part[0] == ".")
        ]
    for path in found:
        if around.view.stat(around.view.resolve(path)) is not None:
            yield path
