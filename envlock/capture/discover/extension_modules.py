"""Compiled modules of languages that were built on this system, and what they lack.

Modules that were built for publication are not read: their tags say what they need, and they bring
their libraries.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from functools import cached_property, partial
from typing import BinaryIO

from envlock.capture.context import Context, describe
from envlock.capture.discover.candidates import may_be_software
from envlock.capture.discover.linkage import Linker
from envlock.capture.discover.loader_paths import configured_folders, loader_cache
from envlock.capture.discover.symbol_versions import SymbolVersions
from envlock.formats.binary.elf import Elf, parse_elf
from envlock.model.tree import EntryType

_INTERPRETER = re.compile(r"lib(?:python|node|ruby|perl|php|R)[\d.\w-]*\.so")
_VERSIONED = re.compile(r"(.+?\.so(?:\.\d+)?)(?:\.[\d.]+)?\Z")
_NAMES_LIMIT = 4 * 1024 * 1024
_MOST = 256
"""Modules of one package that are read, in byte order of their paths."""


class ExtensionModules:
    """Finds what compiled modules lack; the loader's settings are read when first needed."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def lacks(self, paths: Iterable[str]) -> tuple[str, str]:
        """Return the libraries, and the versions of symbols, that some of these modules lack.

        A library of any directory counts as found: a program may load it before the module.
        """
        missing: set[str] = set()
        lacking: set[str] = set()
        for path in sorted(paths)[:_MOST]:
            elf = self.read(path)
            if elf is None or elf.kind != "shared":
                continue
            linked = self._linker.link(path, elf)
            missing.update(
                name
                for name in linked.missing
                if name not in self._names and not _INTERPRETER.match(name)
            )
            lacking.update(each.version for each in self._symbols.lacking(elf, linked))
        return " ".join(sorted(missing)), " ".join(sorted(lacking))

    def find(self, path: str, name: re.Pattern[bytes]) -> str:
        """Return what the first group of a pattern finds in the names of a module's symbols."""
        entry = self._context.entry(path)
        elf = self.read(path)
        place = elf.sections.get(".dynstr") if elf is not None else None
        stream = self._context.open(entry) if entry is not None and place is not None else None
        if stream is None or place is None:
            return ""
        with stream:
            match = name.search(_at(stream, place[0], min(place[1], _NAMES_LIMIT)))
        return match[1].decode("ascii", "replace") if match else ""

    def read(self, path: str) -> Elf | None:
        """Return a module's ELF headers, None when it is none or (with a gap) unreadable."""
        entry = self._context.entry(path)
        if entry is not None and entry.type is EntryType.HARDLINK:
            entry = self._context.entry(entry.target)
        if entry is None or entry.type is not EntryType.FILE:
            return None
        stream = self._context.open(entry)
        if stream is None:
            return None
        with stream:
            try:
                return parse_elf(partial(_at, stream))
            except OSError as error:
                self._context.gap(path, describe(error))
                return None

    @cached_property
    def _linker(self) -> Linker:
        context = self._context
        return Linker(context, configured_folders(context), loader_cache(context))

    @cached_property
    def _symbols(self) -> SymbolVersions:
        return SymbolVersions(self._context)

    @cached_property
    def _names(self) -> frozenset[str]:
        """The names of all libraries in the scan, in full and with one number of their version."""
        found: set[str] = set()
        for entry in self._context.entries(may_be_software):
            name = posixpath.basename(entry.path)
            match = _VERSIONED.match(name) if ".so" in name else None
            if match is not None:
                found |= {name, match[1]}
        return frozenset(found)


def _at(stream: BinaryIO, offset: int, size: int) -> bytes:
    stream.seek(offset)
    return stream.read(size)
