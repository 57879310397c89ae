"""Versions of symbols that programs need and their libraries do not have.

Source: Linux Standard Base, "Symbol Versioning"; ld.so(8).  A program that needs such a version
does not start: ``version `GLIBC_2.38' not found``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from typing import BinaryIO, NamedTuple

from envlock.capture.context import Context
from envlock.capture.discover.linkage import Linked
from envlock.formats.binary.elf import Elf, parse_elf
from envlock.formats.system.software_versions import numbers
from envlock.model.tree import EntryType

_VERSION = re.compile(r"(.+)_(\d+(?:\.\d+)*)\Z")
_SYSTEM = ("/lib", "/usr/lib")
"""Where the loaders of a system are; a program with another one brings its own C library."""


class Lacking(NamedTuple):
    """A needed version of symbols, the library that should have it, and the newest that it has."""

    version: str
    library: str
    newest: str


class SymbolVersions:
    """Knows the versions of symbols in each library; every library is read once."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: dict[str, frozenset[str]] = {}

    def lacking(self, elf: Elf, linked: Linked) -> tuple[Lacking, ...]:
        """Return the newest version of each family that a library of a program does not have."""
        if elf.interpreter and not elf.interpreter.startswith(_SYSTEM):
            return ()
        found: dict[tuple[str, str], Lacking] = {}
        for library, versions in elf.version_needs.items():
            wanted = [version for version in versions if version not in elf.weak_versions]
            given = self._given(linked.found.get(library, "")) if wanted else frozenset()
            for version in wanted if given else ():
                family, number = _split(version)
                known = found.get((library, family))
                is_newer = known is None or numbers(number) > numbers(_split(known.version)[1])
                if version not in given and is_newer:
                    newest = _newest(family, given)
                    found[library, family] = Lacking(version, library, newest)
        return tuple(found.values())

    def _given(self, path: str) -> frozenset[str]:
        """Return the versions of a library's symbols; none when they have no versions."""
        if path and path not in self._known:
            self._known[path] = self._read(path)
        return self._known.get(path, frozenset())

    def _read(self, path: str) -> frozenset[str]:
        entry = self._context.entry(path)
        if entry is not None and entry.type is EntryType.HARDLINK:
            entry = self._context.entry(entry.target)
        stream = self._context.open(entry) if entry is not None else None
        if stream is None:
            return frozenset()
        with stream:
            try:
                elf = parse_elf(partial(_at, stream))
            except OSError:
                self._context.gap(path, "input/output error")
                return frozenset()
        return elf.version_definitions if elf is not None else frozenset()


def _at(stream: BinaryIO, offset: int, size: int) -> bytes:
    stream.seek(offset)
    return stream.read(size)


def _split(version: str) -> tuple[str, str]:
    """Return family and number of a version: ``GLIBC``, ``2.38``."""
    match = _VERSION.match(version)
    return (match[1], match[2]) if match else (version, "")


def _newest(family: str, given: Iterable[str]) -> str:
    """Return the newest of the given versions of a family, empty without any."""
    found = [each[1] for version in given if (each := _split(version))[0] == family and each[1]]
    return max(found, key=numbers, default="")
