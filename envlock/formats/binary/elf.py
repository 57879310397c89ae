"""ELF files: machine, kind, needed libraries and symbol versions, build ID, sections and notes.

Sources: System V ABI (gABI), chapters 4 and 5; Linux Standard Base, "Symbol Versioning"; the
processor supplements for the machine numbers.  Program headers take precedence over section
headers, as in the loader: a stripped file has no sections and still needs its libraries.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from envlock.formats.binary.elf_file import (
    DT_FLAGS_1,
    DT_NEEDED,
    DT_RPATH,
    DT_RUNPATH,
    DT_SONAME,
    PT_DYNAMIC,
    PT_NOTE,
    Dynamic,
    ElfFile,
    FileHeader,
    Header,
    Note,
    Reader,
    Segment,
    dynamic_of,
    header_of,
    interpreter_of,
    loaded_segments,
    notes_of,
    offset_of,
    program_headers,
)

_KINDS = {1: "relocatable", 2: "executable", 3: "shared", 4: "core"}
_SHT_DYNAMIC, _SHT_NOTE, _SHT_NOBITS = 6, 7, 8
_DT_VERNEED, _DT_VERNEEDNUM = 0x6FFFFFFE, 0x6FFFFFFF
_DT_VERDEF, _DT_VERDEFNUM = 0x6FFFFFFC, 0x6FFFFFFD
_DF_1_PIE = 0x08000000
_WEAK = 2
_NT_GNU_BUILD_ID = 3

_MOST_VERSIONS = 4096
_NAMES_LIMIT = 1024 * 1024


class Elf(NamedTuple):
    """An ELF file; anything it lacks is empty.

    `machine` is the name of uname(1), or ``machine-NUMBER`` when there is none.  `kind` is
    ``executable`` (position-independent ones included), ``shared``, ``relocatable`` or ``core``.
    `needed` are the libraries in file order, `rpath` the directories of RUNPATH, or of RPATH
    without one.  `version_needs` is library -> needed symbol versions, sorted.  `sections` is name
    -> (offset, size) of sections with content in the file; of duplicate names the first counts.
    `build_id` is hexadecimal.
    """

    machine: str
    kind: str
    interpreter: str
    soname: str
    needed: tuple[str, ...]
    rpath: tuple[str, ...]
    build_id: str
    version_needs: Mapping[str, tuple[str, ...]]
    sections: Mapping[str, tuple[int, int]]
    notes: tuple[Note, ...]
    segments: tuple[Segment, ...]
    is_little: bool
    word: int
    """Bytes of an address: 4 or 8."""
    weak_versions: frozenset[str] = frozenset()
    """Needed versions that a program also starts without: all its references are weak."""
    version_definitions: frozenset[str] = frozenset()
    """The versions of symbols that a library has; empty when its symbols have no versions."""


def parse_elf(read: Reader) -> Elf | None:
    """Return the parsed file, or None when it is not an ELF file.

    Reads a few pieces of bounded size.  A damaged part is empty.
    """
    header = header_of(read)
    if header is None:
        return None
    file = header.file
    programs = program_headers(header)
    sections = _sections(header)
    segments = loaded_segments(programs)
    dynamic = _dynamic(file, programs, sections, segments)
    notes = _notes(file, programs, sections)
    needs, weak = _version_needs(file, dynamic, segments)
    is_pie = header.type == 3 and bool(dynamic.first(DT_FLAGS_1) & _DF_1_PIE)
    return Elf(
        machine=header.machine,
        kind="executable" if is_pie else _KINDS.get(header.type, f"type-{header.type}"),
        interpreter=interpreter_of(file, programs),
        soname=next(iter(dynamic.texts(DT_SONAME)), ""),
        needed=dynamic.texts(DT_NEEDED),
        rpath=_run_path(dynamic),
        build_id=next((n.content.hex() for n in notes if _is_build_id(n)), ""),
        version_needs=needs,
        sections=_by_name(file, sections, header.names),
        notes=notes,
        segments=segments,
        is_little=file.order == "<",
        word=file.word,
        weak_versions=weak,
        version_definitions=_version_definitions(file, dynamic, segments),
    )


def _run_path(dynamic: Dynamic) -> tuple[str, ...]:
    tag = DT_RUNPATH if dynamic.values(DT_RUNPATH) else DT_RPATH
    return tuple(folder for folder in dynamic.folders(tag) if folder)


def _sections(header: FileHeader) -> list[Header]:
    file = header.file
    form = "IIIIII" if file.word == 4 else "IIQQQQ"
    offset, count, stride = header.sections
    if not offset:
        return []
    if not count:  # too many for the header: the size of the first section is their number
        count = next((row[5] for row in file.table(form, offset, 1, stride)), 0)
    rows = file.table(form, offset, count, stride)
    return [Header(kind, name, at, where, size) for name, kind, _, at, where, size in rows]


def _by_name(file: ElfFile, sections: list[Header], index: int) -> dict[str, tuple[int, int]]:
    if index >= len(sections):
        return {}
    names = file.read(sections[index].offset, min(sections[index].size, _NAMES_LIMIT))
    found: dict[str, tuple[int, int]] = {}
    for section in sections:
        end = names.find(b"\0", section.name)
        name = names[section.name : end].decode("utf-8", "surrogateescape") if end > 0 else ""
        if name and section.type != _SHT_NOBITS:
            found.setdefault(name, (section.offset, section.size))
    return found


def _dynamic(
    file: ElfFile,
    programs: list[Header],
    sections: list[Header],
    segments: tuple[Segment, ...],
) -> Dynamic:
    headers = [p for p in programs if p.type == PT_DYNAMIC]
    # In a file of debugging symbols the segments point at content that was removed.
    removed = {(s.offset, s.size) for s in sections if s.type == _SHT_NOBITS}
    is_removed = any((p.offset, p.size) in removed for p in headers)
    headers = headers or [s for s in sections if s.type == _SHT_DYNAMIC]
    if not headers or is_removed:
        return Dynamic(file)
    return dynamic_of(file, headers[0], segments)


def _notes(file: ElfFile, programs: list[Header], sections: list[Header]) -> tuple[Note, ...]:
    """Return the notes: of the sections if there are any, since these are more complete."""
    headers = [s for s in sections if s.type == _SHT_NOTE]
    return notes_of(file, headers or [p for p in programs if p.type == PT_NOTE])


def _version_needs(
    file: ElfFile, dynamic: Dynamic, segments: tuple[Segment, ...]
) -> tuple[dict[str, tuple[str, ...]], frozenset[str]]:
    """Return library -> needed versions, and those that are needed weakly only."""
    where = offset_of(segments, dynamic.first(_DT_VERNEED))
    if where is None:
        return {}, frozenset()
    found: dict[str, set[str]] = {}
    weak: set[str] = set()
    left = _MOST_VERSIONS
    for _ in range(min(dynamic.first(_DT_VERNEEDNUM), _MOST_VERSIONS)):
        row = next(file.table("HHIII", where, 1, 16), None)
        if row is None:
            break
        _, count, name, first, following = row
        versions = found.setdefault(file.string(dynamic.strings + name), set())
        at = where + first
        for _ in range(min(count, left)):
            left -= 1
            version = next(file.table("IHHII", at, 1, 16), None)
            if version is None:
                break
            versions.add(text := file.string(dynamic.strings + version[3]))
            weak |= {text} if version[1] & _WEAK else set()
            at += version[4]
            if not version[4]:
                break
        where += following
        if not following or not left:
            break
    needs = {name: tuple(sorted(each - {""})) for name, each in found.items() if name}
    return needs, frozenset(weak)


def _version_definitions(
    file: ElfFile, dynamic: Dynamic, segments: tuple[Segment, ...]
) -> frozenset[str]:
    where = offset_of(segments, dynamic.first(_DT_VERDEF))
    found: set[str] = set()
    if where is None:
        return frozenset()
    for _ in range(min(dynamic.first(_DT_VERDEFNUM), _MOST_VERSIONS)):
        row = next(file.table("HHHHIII", where, 1, 20), None)
        if row is None:
            break
        names, following = where + row[5], row[6]
        name = next(file.table("II", names, 1, 8), None)
        if name is not None:
            found.add(file.string(dynamic.strings + name[0]))
        where += following
        if not following:
            break
    return frozenset(found - {""})


def _is_build_id(note: Note) -> bool:
    return note.owner == "GNU" and note.type == _NT_GNU_BUILD_ID and 4 <= len(note.content) <= 64
