"""The directories that the dynamic loader is configured to search.

Sources: ld.so(8), ldconfig(8); musl, ldso/dynlink.c.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from envlock.capture.context import Context
from envlock.formats.binary.loader_cache import CachedLibrary, parse_loader_cache
from envlock.formats.system.loader_config import LOADER_CONFIG, loader_folders
from envlock.formats.system.settings import SETTINGS_LIMIT, parse_lines

_FOLDER = "/etc/ld.so.conf.d"
_MUSL = tuple(f"/etc/ld-musl-{machine}.path" for machine in ("x86_64", "aarch64", "i386", "armhf"))

_CACHE = "/etc/ld.so.cache"
_CACHE_LIMIT = 16 * 1024 * 1024

LOADER_READS = (LOADER_CONFIG, f"{_FOLDER}/*", *_MUSL, _CACHE)
"""Paths that the functions here read; a collector that calls one declares them."""


def loader_cache(context: Context) -> Mapping[str, tuple[CachedLibrary, ...]] | None:
    """Return library -> files in the loader's cache, or None without a readable one."""
    raw = context.read(_CACHE, _CACHE_LIMIT)
    return parse_loader_cache(raw) if raw else None


def configured_folders(context: Context) -> tuple[str, ...]:
    """Return the configured directories, which are searched before the built-in ones, in order."""

    def read(path: str) -> str:
        is_declared = path == LOADER_CONFIG or posixpath.dirname(path) == _FOLDER
        return (context.text(path, SETTINGS_LIMIT) or "") if is_declared else ""

    folders = list(loader_folders(read, context.names))
    for path in _MUSL:
        lines = parse_lines(context.text(path, SETTINGS_LIMIT) or "")
        folders += [folder for line in lines for folder in line.split(":") if folder]
    return tuple(dict.fromkeys(folders))
