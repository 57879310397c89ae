"""How the dynamic loader of a program is set up: its default directories, its cache, its levels.

Sources: ld.so(8); glibc, elf/dl-load.c, elf/dl-cache.c; musl, ldso/dynlink.c.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass

from envlock.formats.binary.linkage import Linkage
from envlock.formats.binary.loader_cache import CachedLibrary, parse_loader_cache
from envlock.formats.binary.loader_program import (
    LOADER_LIMIT,
    LoaderProgram,
    parse_loader_program,
)
from envlock.formats.system.loader_config import loader_folders
from envlock.formats.system.settings import SETTINGS_LIMIT
from envlock.model.text import from_bytes
from envlock.scope.graph import Around

_CACHE = "/etc/ld.so.cache"
_CACHE_LIMIT = 16 * 1024 * 1024
_GLIBC = {
    "x86_64": "/lib64/ld-linux-x86-64.so.2",
    "x32": "/libx32/ld-linux-x32.so.2",
    "i386": "/lib/ld-linux.so.2",
    "aarch64": "/lib/ld-linux-aarch64.so.1",
    "arm": "/lib/ld-linux-armhf.so.3",
    "ppc64le": "/lib64/ld64.so.2",
    "s390x": "/lib/ld64.so.1",
    "riscv64": "/lib/ld-linux-riscv64-lp64d.so.1",
    "loongarch64": "/lib64/ld-linux-loongarch-lp64d.so.1",
}
"""The loader of each machine, for a library that no known program loads."""

_MUSL_MARKS = re.compile(r"libc\.musl-(\w+)\.so\.1|ld-musl-(\w+)\.so\.1")
_MUSL_FOLDERS = ("/lib", "/usr/local/lib", "/usr/lib")
_MUSL_SEPARATORS = re.compile(r"[\n:]")

READS = (
    "/lib*/ld-*.so*",
    "/lib/*/ld-*.so*",
    "/usr/lib*/ld-*.so*",
    "/usr/lib/*/ld-*.so*",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d/*",
    "/etc/ld.so.preload",
    "/etc/ld-musl-*.path",
    _CACHE,
)
"""Paths that are read to find out about loaders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoaderSettings:
    """A loader.

    `path` is its real path.  `folders` are its default directories, in order.  `cache` is library
    -> files, None without a cache; `configured` are the directories of ld.so.conf.  `levels` are
    the subdirectories of ``glibc-hwcaps`` for this processor, best first.  `lib` is what ``$LIB``
    stands for.
    """

    path: str
    is_musl: bool
    folders: tuple[str, ...]
    configured: tuple[str, ...] = ()
    cache: Mapping[str, tuple[CachedLibrary, ...]] | None = None
    levels: tuple[str, ...] = ()
    lib: str = "lib"


def loader_settings(linkage: Linkage, around: Around) -> LoaderSettings | None:
    """Return the loader that a program names, or a library needs; None when it is not there."""
    name = linkage.interpreter or _usual_loader(linkage)
    path = around.view.resolve(name) if name.startswith("/") else ""
    if not path or around.view.stat(path) is None:
        return None
    return around.once(_read_settings, path, name)


def _usual_loader(linkage: Linkage) -> str:
    """Return the loader of a file that names none: by the C library it needs, or its machine."""
    for name in linkage.needed:
        match = _MUSL_MARKS.match(name)
        if match is not None:
            return f"/lib/ld-musl-{match[1] or match[2]}.so.1"
    return _GLIBC.get(linkage.machine, "")


def _read_settings(around: Around, path: str, name: str) -> LoaderSettings:
    """Return what is known of a loader at a real path, which programs call `name`."""
    if "ld-musl" in name:
        return _musl(around, path, name)
    view = around.view
    stated = parse_loader_program(view.read(path, LOADER_LIMIT) or b"")
    folders = stated.folders or _usual_folders(name)
    raw = view.read(stated.cache or _CACHE, _CACHE_LIMIT)

    def text(config: str) -> str:
        return from_bytes(view.read(config, SETTINGS_LIMIT) or b"")

    cache = parse_loader_cache(raw) if raw else None
    return LoaderSettings(
        path=path,
        is_musl=False,
        folders=folders,
        configured=() if cache is not None else loader_folders(text, view.names),
        cache=cache,
        levels=_levels(stated, around),
        lib=folders[0].removeprefix("/usr").strip("/"),
    )


def _levels(stated: LoaderProgram, around: Around) -> tuple[str, ...]:
    """Return the levels that the loader knows and, as far as the lock says, the processor has."""
    facts = around.lock.sections.get("host.libc", {}).get("", {})
    searched = facts.get("hwcaps", "").split()
    return tuple(level for level in stated.levels if level in searched)


def _usual_folders(name: str) -> tuple[str, ...]:
    """Return the default directories for a loader that does not state its own."""
    folder = posixpath.dirname(name)
    return tuple(dict.fromkeys((folder, f"/usr{folder}", "/lib", "/usr/lib")))


def _musl(around: Around, path: str, name: str) -> LoaderSettings:
    """Return musl's loader: its directories are in ``etc/ld-musl-ARCH.path`` beside its own."""
    prefix = posixpath.dirname(posixpath.dirname(name)).rstrip("/")
    machine = posixpath.basename(name).removeprefix("ld-").partition(".")[0]
    raw = around.view.read(f"{prefix}/etc/ld-{machine}.path", SETTINGS_LIMIT)
    lines = _MUSL_SEPARATORS.split(from_bytes(raw)) if raw is not None else _MUSL_FOLDERS
    return LoaderSettings(
        path=path, is_musl=True, folders=tuple(folder for folder in lines if folder)
    )
