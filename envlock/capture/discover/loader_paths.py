"""The directories that the dynamic loader is configured to search.

Sources: ld.so(8), ldconfig(8); musl, ldso/dynlink.c.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from envlock.capture.context import Context
from envlock.formats.binary.loader_cache import parse_loader_cache
from envlock.formats.system.settings import SETTINGS_LIMIT, parse_lines

_CONFIG = "/etc/ld.so.conf"
_FOLDER = "/etc/ld.so.conf.d"
_INCLUDE = "include "
_MUSL = tuple(f"/etc/ld-musl-{machine}.path" for machine in ("x86_64", "aarch64", "i386", "armhf"))

_CACHE = "/etc/ld.so.cache"
_CACHE_LIMIT = 16 * 1024 * 1024

LOADER_READS = (_CONFIG, f"{_FOLDER}/*", *_MUSL, _CACHE)
"""Paths that the functions here read; a collector that calls one declares them."""


def loader_cache(context: Context) -> Mapping[str, tuple[str, ...]] | None:
    """Return library -> paths in the loader's cache, or None without a readable one."""
    raw = context.read(_CACHE, _CACHE_LIMIT)
    return parse_loader_cache(raw) if raw else None


def configured_folders(context: Context) -> tuple[str, ...]:
    """Return the configured directories, which are searched before the built-in ones, in order."""
    folders = list(_configured(context))
    for path in _MUSL:
        lines = parse_lines(context.text(path, SETTINGS_LIMIT) or "")
        folders += [folder for line in lines for folder in line.split(":") if folder]
    return tuple(dict.fromkeys(folders))


def _configured(context: Context) -> Iterator[str]:
    for line in parse_lines(context.text(_CONFIG, SETTINGS_LIMIT) or ""):
        if not line.startswith(_INCLUDE):
            yield line
        elif line.removeprefix(_INCLUDE).strip() in ("ld.so.conf.d/*.conf", f"{_FOLDER}/*.conf"):
            for name in context.names(_FOLDER):
                if name.endswith(".conf"):
                    yield from parse_lines(context.text(f"{_FOLDER}/{name}", SETTINGS_LIMIT) or "")
