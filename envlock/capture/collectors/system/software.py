"""Software that no package owns: programs, libraries and directory trees.

Searched are /usr/local, /opt, /srv, home directories, and the system's directories of programs and
libraries.  What keeps it from starting is recorded too: shared libraries and versions of symbols
that are missing, and the needed versions of the C library.  Of a working copy of git the commit.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import BinaryIO, NamedTuple

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.candidates import kind_of_name
from envlock.capture.discover.checkouts import CHECKOUT_READS, checkouts
from envlock.capture.discover.interpreters import Interpreters, parse_interpreter
from envlock.capture.discover.lacks import Needer, kind_of_needer, lacking_records
from envlock.capture.discover.linkage import Linker
from envlock.capture.discover.loader_paths import LOADER_READS, configured_folders, loader_cache
from envlock.capture.discover.symbol_versions import Lacking, SymbolVersions
from envlock.capture.discover.unowned import UnownedFile, find_unowned_software, is_library
from envlock.formats.binary.elf import Elf, parse_elf
from envlock.formats.binary.elf_file import is_elf
from envlock.formats.system.settings import SETTINGS_LIMIT
from envlock.formats.system.software_versions import (
    newest_symbols,
    numbers,
    parse_cuda_version,
    parse_pkg_config,
    parse_release,
    parse_version_line,
    version_in_name,
)
from envlock.model.record import Record
from envlock.model.text import to_bytes
from envlock.model.tree import EntryType

_MOST_FILES = 10_000
_LARGEST = 512 * 1024 * 1024
"""Largest file in bytes that is opened, since a streaming target holds it in memory.  A larger one
has the kind ``large`` and no further facts."""
_HEAD = 256
_SYSTEM_PROGRAMS = ("/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/")
_VERSION_FILES = (
    ("release", parse_release),
    ("version.json", parse_cuda_version),
    ("VERSION", parse_version_line),
    ("version.txt", parse_version_line),
)
_PKG_CONFIG = (
    "/usr/local/lib/pkgconfig/*.pc",
    "/usr/local/lib64/pkgconfig/*.pc",
    "/usr/local/share/pkgconfig/*.pc",
    "/opt/*/lib/pkgconfig/*.pc",
)


class _Part(NamedTuple):
    """An examined file: its kind, its ELF data or interpreter, and what it lacks.

    `missing` are libraries, or the interpreter of a script; `uncached` is explained at `Linked`.
    """

    found: UnownedFile
    kind: str
    elf: Elf | None = None
    interpreter: str = ""
    missing: tuple[str, ...] = ()
    uncached: Mapping[str, str] = MappingProxyType({})
    lacking: tuple[Lacking, ...] = ()


class _Loader(NamedTuple):
    """What answers whether a program can start."""

    linker: Linker
    symbols: SymbolVersions
    interpreters: Interpreters


def collect(context: Context) -> Iterator[Record]:
    """Yield the software, the missing libraries, and the newest versions of symbols needed.

    Facts of software: ``kind``, ``version`` (from file names and version files; nothing is run),
    ``build-id``, ``machine``, ``needs``, ``interpreter``, ``missing``, ``size`` (where there is no
    build ID).  Facts of a tree: ``programs``, ``libraries`` and ``archives`` (numbers of them),
    ``lost-interpreter`` (what its scripts name in vain), and ``content`` (digest over path and
    build ID, or size, of each file).
    """
    found = find_unowned_software(context)
    if len(found) > _MOST_FILES:
        reason = f"more than {_MOST_FILES} files belong to no package; the rest are not recorded"
        context.gap("/", reason)
    loader = _Loader(
        Linker(context, configured_folders(context), loader_cache(context)),
        SymbolVersions(context),
        Interpreters(context),
    )
    units: dict[str, list[_Part]] = {}
    for each in found[:_MOST_FILES]:
        part = _examine(each, loader, context)
        if part.kind:
            units.setdefault(each.reported_as, []).append(part)
    for reported_as, parts in units.items():
        _resolve_within(parts)
        facts = _tree(reported_as, parts, context) if parts[0].found.is_tree else _file(parts[0])
        yield Record(
            "software", reported_as, {name: value for name, value in facts.items() if value}
        )
    for path in context.glob(*_PKG_CONFIG):
        version = parse_pkg_config(context.text(path, SETTINGS_LIMIT) or "")
        if version and not context.owner(path) and path not in units:
            yield Record("software", path, {"kind": "pkg-config", "version": version})
    yield from checkouts(context)
    everything = [part for parts in units.values() for part in parts]
    yield from lacking_records(_needers(everything), context)
    yield from _symbols(everything)


def _examine(found: UnownedFile, loader: _Loader, context: Context) -> _Part:
    """Return what a file is, with an empty kind when it is not software."""
    entry = found.entry
    name = posixpath.basename(entry.path)
    kind = kind_of_name(name)
    if entry.type is EntryType.HARDLINK:
        entry = context.entry(entry.target) or entry
    if kind:
        return _Part(found, kind)
    if entry.size > _LARGEST:
        return _Part(found, "large")
    stream = context.open(entry)
    if stream is None:
        return _Part(found, "")
    with stream:
        try:
            head = stream.read(_HEAD)
            elf = parse_elf(partial(_read, stream)) if is_elf(head) else None
        except OSError:
            context.gap(entry.path, "input/output error")
            return _Part(found, "")
    if elf is not None and elf.kind in ("executable", "shared"):
        return _examine_elf(found, elf, loader)
    interpreter = parse_interpreter(head) if entry.mode & 0o111 else ""
    if not interpreter:
        return _Part(found, "")
    is_asked = not found.is_tree or _is_moved(entry.path, interpreter)
    is_missing = is_asked and loader.interpreters.is_missing(interpreter)
    missing = (interpreter,) if is_missing else ()
    return _Part(found, "script", interpreter=interpreter, missing=missing)


def _is_moved(script: str, interpreter: str) -> bool:
    """True for a script that people start, with an interpreter that is no part of the system.

    A folder that was moved or copied has such scripts, with its old place in them; other scripts of
    a tree may be examples and tools that nobody starts.
    """
    is_own = interpreter.startswith("/") and not interpreter.startswith(_SYSTEM_PROGRAMS)
    return is_own and posixpath.basename(posixpath.dirname(script)) == "bin"


def _examine_elf(found: UnownedFile, elf: Elf, loader: _Loader) -> _Part:
    entry = found.entry
    is_named = is_library(posixpath.basename(entry.path))
    is_program = not is_named and bool(elf.interpreter or entry.mode & 0o111)
    linked = loader.linker.link(entry.path, elf)
    return _Part(
        found,
        "program" if is_program else "library",
        elf,
        missing=linked.missing,
        uncached=linked.uncached,
        lacking=loader.symbols.lacking(elf, linked),
    )


def _read(stream: BinaryIO, offset: int, size: int) -> bytes:
    stream.seek(offset)
    return stream.read(size)


def _resolve_within(parts: list[_Part]) -> None:
    """Drop what libraries of the tree itself may provide: a wrapper may set the search path."""
    names = {posixpath.basename(part.found.entry.path) for part in parts}
    names |= {part.elf.soname for part in parts if part.elf is not None}
    for number, part in enumerate(parts):
        left = tuple(name for name in part.missing if name not in names)
        lacking = tuple(each for each in part.lacking if each.library not in names)
        parts[number] = part._replace(missing=left, lacking=lacking)


def _file(part: _Part) -> dict[str, str]:
    entry, elf = part.found.entry, part.elf
    facts = {
        "kind": part.kind,
        "version": version_in_name(posixpath.basename(entry.path)),
        "interpreter": part.interpreter,
        "missing": " ".join(sorted(part.missing)),
        "size": "" if elf is not None and elf.build_id else str(entry.size),
    }
    if elf is not None:
        facts["build-id"] = elf.build_id
        facts["machine"] = elf.machine
        facts["needs"] = " ".join(sorted(elf.needed))
    return facts


def _tree(reported_as: str, parts: list[_Part], context: Context) -> dict[str, str]:
    kinds = Counter(part.kind for part in parts)
    digest = hashlib.sha256()
    for part in parts:
        what = part.elf.build_id if part.elf is not None else ""
        line = f"{part.found.entry.path}\0{part.kind}\0{what or part.found.entry.size}\0"
        digest.update(to_bytes(line))
    machines = sorted({part.elf.machine for part in parts if part.elf is not None})
    return {
        "kind": "tree",
        "version": _tree_version(reported_as, context),
        "machine": " ".join(machines),
        "missing": _words(name for part in parts if part.elf for name in part.missing),
        "lost-interpreter": _words(name for part in parts if not part.elf for name in part.missing),
        "content": f"sha256:{digest.hexdigest()}",
        "programs": str(kinds["program"] + kinds["script"] or ""),
        "libraries": str(kinds["library"] or ""),
        "archives": str(kinds["jar"] + kinds["archive"] or ""),
    }


def _words(names: Iterable[str]) -> str:
    return " ".join(sorted(set(names)))


def _tree_version(folder: str, context: Context) -> str:
    for name, parse in _VERSION_FILES:
        entry = context.entry(f"{folder}/{name}")
        if entry is not None and entry.type is EntryType.FILE:
            version = parse(context.text(f"{folder}/{name}", SETTINGS_LIMIT) or "")
            if version:
                return version
    return version_in_name(posixpath.basename(folder))


def _needers(parts: Iterable[_Part]) -> Iterator[Needer]:
    """Yield the programs and libraries that lack something."""
    for part in parts:
        if part.elf is not None and (part.missing or part.lacking):
            kind = kind_of_needer(part.found, is_program=part.kind == "program")
            yield Needer(_shown(part.found), kind, part.missing, part.uncached, part.lacking)


def _symbols(parts: Iterable[_Part]) -> Iterator[Record]:
    """Yield the newest needed version of each family of symbols, and the first file needing it."""
    newest: dict[str, tuple[str, str]] = {}
    for part in parts:
        if part.elf is None:
            continue
        needed = (version for each in part.elf.version_needs.values() for version in each)
        for family, version in newest_symbols(needed).items():
            if numbers(version) > numbers(newest.get(family, ("", ""))[0]):
                newest[family] = (version, _shown(part.found))
    for family, (version, path) in newest.items():
        yield Record("abi", family, {"version": version, "needed-by": path})


def _shown(found: UnownedFile) -> str:
    """Return the path of a file, without the account for one in a home directory."""
    return found.entry.path if found.is_tree else found.reported_as


COLLECTOR = Collector(
    name="software",
    sections=("software", "missing-library", "missing-symbol", "abi"),
    reads=(
        *LOADER_READS,
        *_PKG_CONFIG,
        *CHECKOUT_READS,
        *(f"/{root}/*/{name}" for root in ("opt", "srv") for name, _ in _VERSION_FILES),
        *(f"/usr/local/*/{name}" for name, _ in _VERSION_FILES),
        *(f"/usr/local/*/*/{name}" for name, _ in _VERSION_FILES),
    ),
    collect=collect,
    needs_scan=True,
    needs_owners=True,
    sources=(
        "System V ABI (ELF)",
        "ld.so(8)",
        "pkg-config(1)",
        "gitrepository-layout(5)",
        "Filesystem Hierarchy Standard 3",
    ),
)
