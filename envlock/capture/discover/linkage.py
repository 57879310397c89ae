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
from collections.abc import Iterator
from functools import partial

from envlock.capture.context import Context
from envlock.formats.binary.elf import Elf

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


class Linker:
    """Finds the libraries of programs; `configured` are the directories of ld.so.conf."""

    def __init__(self, context: Context, configured: tuple[str, ...]) -> None:
        self._context = context
        self._configured = tuple(context.resolve(folder) for folder in configured)
        # Where 64-bit libraries have a directory of their own, the plain one holds 32-bit ones.
        self._splits = any(self._has(folder, "libc.so.6") for folder in _WIDE)

    def missing(self, path: str, elf: Elf) -> list[str]:
        """Return the needed libraries that are not found, and the interpreter if it is missing."""
        folders = tuple(dict.fromkeys(self._folders(path, elf)))
        missing = [name for name in elf.needed if not self._is_found(name, folders)]
        if elf.interpreter.startswith("/") and not self._exists(elf.interpreter):
            missing.append(elf.interpreter)
        return missing

    def _is_found(self, name: str, folders: tuple[str, ...]) -> bool:
        if name.startswith("/"):
            return self._exists(name)
        if _BY_HOST.match(name):
            return True
        return any(self._has(folder, name) for folder in folders)

    def _has(self, folder: str, name: str) -> bool:
        return (
            self._context.entry(f"{self._context.resolve(folder).rstrip('/')}/{name}") is not None
        )

    def _exists(self, path: str) -> bool:
        return self._context.entry(self._context.resolve(path)) is not None

    def _folders(self, path: str, elf: Elf) -> Iterator[str]:
        """Yield the directories that the loader searches, in its order."""
        triplet = _TRIPLETS.get(elf.machine, "")
        replace = partial(_expand, origin=posixpath.dirname(path), triplet=triplet)
        for folder in elf.rpath:
            yield from (found for found in replace(folder) if found.startswith("/"))
        for folder in self._configured:
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
