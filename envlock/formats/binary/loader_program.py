"""What the dynamic loader of glibc has built in: its version and the directories it searches.

Source: glibc, elf/dl-load.c (system_dirs), elf/dl-cache.c, elf/dl-usage.c; each is a string of the
program, and distributions choose their own.
"""

from __future__ import annotations

import re
from typing import NamedTuple

LOADER_LIMIT = 16 * 1024 * 1024
"""Largest loader in bytes that is read; they have a fifth of a megabyte."""

_VERSION = re.compile(rb"ld\.so \([^)]{1,80}\) [a-z ]*release version (\d+(?:\.\d+)+)")
_LEVELS = re.compile(rb"\0((?:x86-64-v\d:?)+)\0")
_FOLDERS = re.compile(rb"\0((?:/[!-~]{1,200}/\0){1,8})")
_CACHE = re.compile(rb"\0(/[!-~]{1,200}/ld\.so\.cache)\0")


class LoaderProgram(NamedTuple):
    """What a loader states; empty where it does not.

    `levels` are the subdirectories of ``glibc-hwcaps`` that it knows, best first.  `folders` are
    the default directories, without a final slash; `cache` is the path of its cache.
    """

    version: str = ""
    levels: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    cache: str = ""


def parse_loader_program(content: bytes) -> LoaderProgram:
    """Return what the loader with this content states."""
    version, levels = _VERSION.search(content), _LEVELS.search(content)
    cache = _CACHE.search(content)
    return LoaderProgram(
        version[1].decode() if version else "",
        tuple(name for name in levels[1].decode().split(":") if name) if levels else (),
        _folders(content),
        cache[1].decode() if cache else "",
    )


def _folders(content: bytes) -> tuple[str, ...]:
    """Return the first list of directories of libraries."""
    for match in _FOLDERS.finditer(content):
        names = match[1].rstrip(b"\0").split(b"\0")
        if all(b"/lib" in name for name in names):
            return tuple(name.decode().rstrip("/") for name in names)
    return ()
