"""Shared libraries that the dynamic loader would not find for a program.

Sources: ld.so(8); System V ABI, "Shared Object Dependencies"; Debian Policy 9.1.1 (multiarch);
musl, ldso/dynlink.c.

Only names of files are examined, so it is cheap on any target.  It knows nothing of a wrapper that
sets ``LD_LIBRARY_PATH`` or of an inherited run path: callers should count a library in the
program's own tree as found.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

from envlock.capture.context import Context
from envlock.formats.binary.elf import Elf
from envlock.formats.binary.loader_cache import CachedLibrary
from envlock.model.tree import EntryType

_TRIPLETS = {
    "x86_64": "x86_64-linux-gnu",
    "i386": "i386-linux-gnu",
    "x32": "x86_64-linux-gnux32",
    "aarch64": "aarch64-linux-gnu",
    "arm": "arm-linux-gnueabihf",
    "ppc64le": "powerpc64le-linux-gnu",
    "s390x": "s390x-linux-gnu",
    "riscv64": "riscv64-linux-gnu",
    "mipsel": "mipsel-linux-gnu",
    "loongarch64": "loongarch64-linux-gnu",
}
_FOLDERS = ("/lib", "/usr/lib")
_WIDE = ("/lib64", "/usr/lib64")
_NARROW = ("/lib32", "/usr/lib32", "/libx32", "/usr/libx32")
_MUSL_FOLDERS = ("/lib", "/usr/local/lib", "/usr/lib")
_MULTIARCH = re.compile(r"/[a-z0-9_]+-linux-[a-z0-9]+(?:/|\Z)")
_BY_HOST = re.compile(
    r"lib(?:cuda|nvcuvid|nvidia-[\w-]+|nvoptix|EGL_nvidia|GLX_nvidia|vdpau_nvidia)\.so"
    r"|linux-vdso|ld-linux|ld64\.so|libc\.musl-|ld-musl-"
)
"""Libraries that come with the host's driver or the loader; an image must not contain them."""


class Linked(NamedTuple):
    """What the loader finds for a program.

    `found` is needed library -> the path of its file.  `missing` are the libraries that it does not
    find, or the loader itself.  `uncached` are those of them that are in a configured
    directory and not in the loader's cache -> that directory.
    """

    found: Mapping[str, str]
    missing: tuple[str, ...]
    uncached: Mapping[str, str]


class Linker:
    """Finds the libraries of programs.

    `configured` are the directories of ld.so.conf, `cache` is the content of the loader's cache.
    The loader of glibc searches the configured directories only by its cache; where there is none
    here, they count as searched.
    """

    def __init__(
        self,
        context: Context,
        configured: tuple[str, ...],
        cache: Mapping[str, tuple[CachedLibrary, ...]] | None = None,
    ) -> None:
        self._context = context
        self._cache = cache
        self._configured = tuple(context.resolve(folder) for folder in configured)
        # Where 64-bit libraries have a directory of their own, the plain one holds 32-bit ones.
        self._splits = any(self._file(f"{folder}/libc.so.6") for folder in _WIDE)

    def missing(self, path: str, elf: Elf) -> list[str]:
        """Return the needed libraries that are not found, or the loader if that is missing."""
        return list(self.link(path, elf).missing)

    def link(self, path: str, elf: Elf) -> Linked:
        """Return which libraries the loader finds for a file, and which it does not."""
        found, missing, uncached = {}, [], {}
        candidates = self._candidates(path, elf)
        for name in elf.needed:
            where = next((real for each in candidates(name) if (real := self._file(each))), "")
            if where:
                found[name] = where
            elif not _BY_HOST.match(name):
                missing.append(name)
                folder = self._uncached(name, elf)
                if folder:
                    uncached[name] = folder
        if elf.interpreter.startswith("/") and not self._file(elf.interpreter):
            return Linked({}, (elf.interpreter,), {})  # without it no library is searched
        return Linked(found, tuple(missing), uncached)

    def _file(self, path: str) -> str:
        """Return the path of the file at `path`, links followed; empty when it is not there."""
        folder, _, name = path.rpartition("/")
        real = f"{self._context.resolve(folder).rstrip('/')}/{name}"
        entry = self._context.entry(real)
        if entry is None or entry.type is not EntryType.SYMLINK:
            return "" if entry is None else real
        return "" if self._context.is_gone(real) else self._context.resolve(real)

    def _candidates(self, path: str, elf: Elf) -> Callable[[str], Iterator[str]]:
        """Return a function of the name of a library: the paths that the loader tries, in order."""
        folders = tuple(dict.fromkeys(self._folders(path, elf)))
        ran = len(tuple(dict.fromkeys(self._run_path(path, elf))))
        triplet = _TRIPLETS.get(elf.machine, "")
        cache = self._cache or {}

        def paths(name: str) -> Iterator[str]:
            if name.startswith("/"):
                yield name
                return
            yield from (f"{folder}/{name}" for folder in folders[:ran])
            for cached in cache.get(name, ()) if "ld-musl" not in elf.interpreter else ():
                if self._fits(posixpath.dirname(cached.path), triplet, elf.word):
                    yield cached.path
            yield from (f"{folder}/{name}" for folder in folders[ran:])

        return paths

    def _uncached(self, name: str, elf: Elf) -> str:
        """Return the configured directory that has a library which the cache does not list."""
        triplet = _TRIPLETS.get(elf.machine, "")
        for folder in self._configured if self._uses_cache(elf) else ():
            if self._fits(folder, triplet, elf.word) and self._file(f"{folder}/{name}"):
                return folder
        return ""

    def _uses_cache(self, elf: Elf) -> bool:
        return self._cache is not None and "ld-musl" not in elf.interpreter

    def _run_path(self, path: str, elf: Elf) -> Iterator[str]:
        replace = partial(
            _expand, origin=posixpath.dirname(path), triplet=_TRIPLETS.get(elf.machine, "")
        )
        for folder in elf.rpath:
            yield from (found for found in replace(folder) if found.startswith("/"))

    def _folders(self, path: str, elf: Elf) -> Iterator[str]:
        """Yield the directories that the loader searches, in its order."""
        triplet = _TRIPLETS.get(elf.machine, "")
        yield from self._run_path(path, elf)
        for folder in self._configured if not self._uses_cache(elf) else ():
            if self._fits(folder, triplet, elf.word):
                yield folder
        if "ld-musl" in elf.interpreter:
            yield from _MUSL_FOLDERS
            return
        if triplet:
            yield from (f"{folder}/{triplet}" for folder in _FOLDERS)
        yield from _WIDE if elf.word == 8 else _NARROW
        if elf.word == 4 or not self._splits:
            yield from _FOLDERS
        yield from _MUSL_FOLDERS[1:2] if not elf.interpreter else ()

    @staticmethod
    def _fits(folder: str, triplet: str, word: int) -> bool:
        """True unless the name of a directory shows that it is for another architecture."""
        match = _MULTIARCH.search(folder)
        if match is not None:
            return match.group().strip("/") == triplet
        return not folder.startswith(_NARROW if word == 8 else _WIDE)


def _expand(folder: str, *, origin: str, triplet: str) -> Iterator[str]:
    """Yield a run path with its variables expanded, once for each value ``$LIB`` may have."""
    folder = folder.replace("${ORIGIN}", origin).replace("$ORIGIN", origin)
    for library in ("lib", "lib64", f"lib/{triplet}"):
        yield posixpath.normpath(folder.replace("${LIB}", library).replace("$LIB", library))
