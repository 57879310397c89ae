"""The directories that ldconfig(8) is told to search: ld.so.conf and what it includes.

Source: glibc, elf/ldconfig.c (parse_conf).
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase

from envlock.formats.system.settings import parse_lines

LOADER_CONFIG = "/etc/ld.so.conf"
_INCLUDE = "include "
_HWCAP = "hwcap "
_MOST_FILES = 100
_WILD = frozenset("*?[")


def loader_folders(
    read: Callable[[str], str], names: Callable[[str], tuple[str, ...]]
) -> tuple[str, ...]:
    """Return the configured directories in order, each once.

    `read` returns the text of a file, empty when there is none; `names` the names in a directory.
    """
    return tuple(dict.fromkeys(_folders(LOADER_CONFIG, read, names, set())))


def _folders(
    config: str,
    read: Callable[[str], str],
    names: Callable[[str], tuple[str, ...]],
    done: set[str],
) -> Iterator[str]:
    """Yield the directories of one file; what it includes takes the place of the line."""
    if config in done or len(done) >= _MOST_FILES:
        return
    done.add(config)
    for line in parse_lines(read(config)):
        if line.startswith(_INCLUDE):
            for pattern in line.removeprefix(_INCLUDE).split():
                where = posixpath.join(posixpath.dirname(config), pattern)
                for included in _matching(where, names):
                    yield from _folders(included, read, names, done)
        elif not line.startswith(_HWCAP):
            yield line.partition("=")[0].rstrip("/ ") or "/"


def _matching(pattern: str, names: Callable[[str], tuple[str, ...]]) -> Iterator[str]:
    """Yield the paths that a pattern matches; only its last name may have wildcards."""
    folder, _, last = pattern.rpartition("/")
    if not _WILD & set(last):
        yield pattern
    elif not _WILD & set(folder):
        yield from (f"{folder}/{n}" for n in names(folder) if fnmatchcase(n, last) and n[0] != ".")
