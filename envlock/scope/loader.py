"""What the dynamic loader picks for a program, or for a library that a program loads by name.

Sources: ld.so(8); glibc, elf/dl-load.c (_dl_map_object), elf/dl-deps.c, elf/dl-cache.c; musl,
ldso/dynlink.c (load_library).  Where a machine has no cache of glibc's loader, the directories
that ldconfig(8) would put into it are searched.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from envlock.formats.binary.linkage import Linkage
from envlock.scope.graph import Around
from envlock.scope.loader_settings import LoaderSettings, loader_settings

_SEPARATORS = re.compile(r"[:;]")
_BLANKS = re.compile(r"[ \t\r\n\f\v:]+")
_VARIABLE = re.compile(r"\$(?:\{(ORIGIN|LIB|PLATFORM)\}|(ORIGIN|LIB|PLATFORM)(?![A-Za-z0-9_]))")
_ORIGIN = re.compile(r"\$(?:ORIGIN|\{ORIGIN\})")
_MUSL_PARTS = ("c.", "pthread.", "rt.", "m.", "dl.", "util.", "xnet.")
"""Names of libraries, after ``lib``, that musl's loader takes for itself."""
_PRELOAD = "/etc/ld.so.preload"
_MOST_OBJECTS = 10_000
_LEVELS = "glibc-hwcaps"

CACHE_FLAGS = {
    "x86_64": 0x0303,
    "x32": 0x0803,
    "i386": 0x0003,
    "aarch64": 0x0A03,
    "arm": 0x0903,
    "ppc64le": 0x0503,
    "s390x": 0x0403,
    "riscv64": 0x1003,
}
"""The flags of a machine's own libraries in the cache (dl-cache.h); of others the file decides."""


class Link(NamedTuple):
    """A library that one object needs: its name as the object has it, and the file, empty for none.

    `path` has no link in it.  `is_preload` marks one that settings add, not the object.
    """

    name: str
    path: str
    is_preload: bool = False


@dataclass(eq=False)
class Loaded:
    """An object in memory: the path it was opened by, its real path, and who loaded it first."""

    name: str
    path: str
    linkage: Linkage
    loader: Loaded | None = None
    links: list[Link] = field(default_factory=list)

    @property
    def origin(self) -> str:
        """What ``$ORIGIN`` stands for."""
        return posixpath.dirname(self.name)

    def chain(self) -> Iterator[Loaded]:
        """Yield the object, who loaded it, and so on up to the program."""
        each: Loaded | None = self
        while each is not None:
            yield each
            each = each.loader


class Process:
    """A program, or a library that is loaded by name, with everything that comes with it.

    `objects` are in the order of loading, the first is the main one; `host` is the process that
    loads a library by name.  `by_path` and `by_name` are what is loaded, that of the host included.
    Each object has its `Loaded.links`.
    """

    def __init__(self, main: Loaded, around: Around, host: Process | None = None) -> None:
        self.main = main
        self.host = host
        self._around = around
        self.by_path: dict[str, Loaded] = dict(host.by_path) if host else {}
        self.by_name: dict[str, Loaded] = dict(host.by_name) if host else {}
        self.objects: list[Loaded] = []
        self.settings = _settings_of(main, around, host)
        self._add(main, main.name)

    @property
    def program(self) -> Loaded:
        """The program of the process, or the main object where no program is known."""
        return self.host.main if self.host else self.main

    def link(self) -> None:
        """Load everything that is needed, breadth first, as the loader does."""
        settings = self.settings
        if settings is None:
            for name in self.main.linkage.needed:
                self.main.links.append(Link(name, ""))
            return
        if self.host is None and self.main.linkage.interpreter:
            self._add_interpreter(settings)
            for name in self._preloads(settings):
                found = self._find(name, self.main, settings)
                if found is not None:
                    self.main.links.append(Link(name, found.path, is_preload=True))
        for each in self.objects:  # it grows
            for name in each.linkage.needed:
                found = self._find(name, each, settings)
                each.links.append(Link(name, found.path if found else ""))

    def optional(self, name: str, by: Loaded) -> str:
        """Return the file that `by` gets when it loads a library by name, empty for none."""
        known = self.by_name.get(name)
        if known is not None or self.settings is None:
            return known.path if known else ""
        found = next(self._candidates(name, by, self.settings), None)
        return found.path if found else ""

    def _add(self, each: Loaded, *names: str) -> None:
        self.objects.append(each)
        self.by_path[each.path] = each
        is_musl = self.settings is not None and self.settings.is_musl
        for name in (*names, *((each.linkage.soname,) if not is_musl else ())):
            if name:
                self.by_name.setdefault(name, each)

    def _add_interpreter(self, settings: LoaderSettings) -> None:
        linkage = self._around.view.linkage(settings.path)
        name = self.main.linkage.interpreter
        if linkage is not None:
            loaded = Loaded(name, settings.path, linkage, self.main)
            self.by_path[loaded.path] = loaded
            for each in (name, linkage.soname):
                self.by_name.setdefault(each, loaded)

    def _preloads(self, settings: LoaderSettings) -> Iterator[str]:
        yield from filter(None, _BLANKS.split(self._around.variables.get("LD_PRELOAD", "")))
        if not settings.is_musl:
            text = (self._around.view.read(_PRELOAD) or b"").decode("utf-8", "surrogateescape")
            lines = "\n".join(line.partition("#")[0] for line in text.split("\n"))
            yield from filter(None, _BLANKS.split(lines))

    def _find(self, name: str, by: Loaded, settings: LoaderSettings) -> Loaded | None:
        """Return the object that a name leads to, loaded now if it was not."""
        if settings.is_musl and _is_musl_itself(name):
            name = self.program.linkage.interpreter or name
        known = self.by_name.get(name)
        if known is not None:
            return known
        found = next(self._candidates(name, by, settings), None)
        if found is None or len(self.objects) >= _MOST_OBJECTS:
            return None
        known = self.by_path.get(found.path)
        if known is None:
            known = found
            self._add(known)
        self.by_name.setdefault(name, known)
        return known

    def _candidates(self, name: str, by: Loaded, settings: LoaderSettings) -> Iterator[Loaded]:
        """Yield the files that the loader accepts for a name, in its order."""
        if "/" in name:
            paths: Iterable[str] = (self._absolute(_expand(name, by, settings)),)
        elif settings.is_musl:
            paths = self._musl_paths(name, by, settings)
        else:
            paths = self._glibc_paths(name, by, settings)
        for path in paths:
            found = self._opened(path, by, settings)
            if found is not None:
                yield found

    def _glibc_paths(self, name: str, by: Loaded, settings: LoaderSettings) -> Iterator[str]:
        if not by.linkage.runpath:
            chain = list(by.chain())
            for each in chain if self.program in chain else (*chain, self.program):
                yield from self._in(each.linkage.rpath, name, each, settings)
        folders = self._around.variables.get("LD_LIBRARY_PATH", "")
        if folders:
            yield from self._in(_SEPARATORS.split(folders), name, self.program, settings)
        yield from self._in(by.linkage.runpath, name, by, settings)
        defaults = settings.folders
        cached = self._cached(name, settings)
        if cached and not (by.linkage.is_nodeflib and posixpath.dirname(cached) in defaults):
            yield cached
        if settings.cache is None:
            yield from self._in(settings.configured, name, by, settings)
        if not by.linkage.is_nodeflib:
            yield from self._in(defaults, name, by, settings)

    def _cached(self, name: str, settings: LoaderSettings) -> str:
        """Return the cached file for a name: of the processor's best level, else the first."""
        flags = CACHE_FLAGS.get(self.main.linkage.machine)
        best, rank = "", len(settings.levels)
        for each in (settings.cache or {}).get(name, ()):
            if flags is not None and each.flags not in (flags, 1, 3):
                continue
            if flags is None and not self._fits(each.path):
                continue
            if each.level in settings.levels and settings.levels.index(each.level) < rank:
                best, rank = each.path, settings.levels.index(each.level)
            elif not each.level and not best:
                best = each.path
        return best

    def _musl_paths(self, name: str, by: Loaded, settings: LoaderSettings) -> Iterator[str]:
        folders = _SEPARATORS.split(self._around.variables.get("LD_LIBRARY_PATH", ""))
        yield from self._in((f for f in folders if f), name, self.program, settings)
        for each in by.chain():
            run_path = each.linkage.runpath or each.linkage.rpath
            if not any("$" in _ORIGIN.sub("", folder) for folder in run_path):
                yield from self._in(run_path, name, each, settings)
        yield from self._in(settings.folders, name, by, settings)

    def _in(
        self, folders: Iterable[str], name: str, by: Loaded, settings: LoaderSettings
    ) -> Iterator[str]:
        """Yield the paths of a name in directories, those for the processor first, that exist."""
        for folder in folders:
            where = self._absolute(_expand(folder, by, settings))
            known = self._names(where)
            if settings.levels and _LEVELS in known:
                for level in settings.levels:
                    below = f"{where}/{_LEVELS}/{level}"
                    if name in self._names(below):
                        yield f"{below}/{name}"
            if name in known:
                yield f"{where}/{name}"

    def _names(self, folder: str) -> frozenset[str]:
        return self._around.once(_names_in, folder)

    def _absolute(self, path: str) -> str:
        """Return a path from the working directory; an empty one is that directory."""
        path = path.rstrip("/") or path[:1]
        return path if path.startswith("/") else posixpath.join(self._around.workdir, path)

    def _fits(self, path: str) -> bool:
        linkage = self._around.view.linkage(self._around.view.resolve(path))
        main = self.main.linkage
        return linkage is not None and (linkage.machine, linkage.word) == (main.machine, main.word)

    def _opened(self, path: str, by: Loaded, settings: LoaderSettings) -> Loaded | None:
        """Return the object at a path if the loader takes it; musl's takes whatever is there."""
        view = self._around.view
        real = view.resolve(path)
        linkage = view.linkage(real)
        if linkage is None or not (settings.is_musl or self._fits(real)):
            return None
        return Loaded(path, real, linkage, by)


def _settings_of(main: Loaded, around: Around, host: Process | None) -> LoaderSettings | None:
    return host.settings if host else loader_settings(main.linkage, around)


def _names_in(around: Around, folder: str) -> frozenset[str]:
    return frozenset(around.view.names(around.view.resolve(folder)))


def _expand(text: str, by: Loaded, settings: LoaderSettings) -> str:
    """Return a path with the loader's variables replaced by their values for an object."""
    if "$" not in text:
        return text
    values = {"ORIGIN": by.origin}
    if not settings.is_musl:
        values |= {"LIB": settings.lib, "PLATFORM": by.linkage.machine}
    return _VARIABLE.sub(lambda match: values.get(match[1] or match[2], match[0]), text)


def _is_musl_itself(name: str) -> bool:
    return name.startswith("lib") and name.removeprefix("lib").startswith(_MUSL_PARTS)
