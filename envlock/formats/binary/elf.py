"""ELF files: machine, kind, needed libraries and symbol versions, build ID, sections and notes.

Sources: System V ABI (gABI), chapters 4 and 5; Linux Standard Base, "Symbol Versioning"; the
processor supplements for the machine numbers.  Program headers take precedence over section
headers, as in the loader: a stripped file has no sections and still needs its libraries.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

Reader = Callable[[int, int], bytes]
"""(offset, size) -> bytes; fewer, or none, at the end of the file."""

_MAGIC = b"\x7fELF"
_KINDS = {1: "relocatable", 2: "executable", 3: "shared", 4: "core"}
_MACHINES = {
    2: "sparc",
    3: "i386",
    8: "mips",
    20: "ppc",
    21: "ppc64",
    22: "s390x",
    40: "arm",
    43: "sparc64",
    62: "x86_64",
    183: "aarch64",
    190: "cuda",
    224: "amdgpu",
    243: "riscv",
    247: "bpf",
    258: "loongarch",
}

_PT_LOAD, _PT_DYNAMIC, _PT_INTERP, _PT_NOTE = 1, 2, 3, 4
_SHT_DYNAMIC, _SHT_NOTE, _SHT_NOBITS = 6, 7, 8
_DT_NEEDED, _DT_STRTAB, _DT_SONAME, _DT_RPATH, _DT_RUNPATH = 1, 5, 14, 15, 29
_DT_FLAGS_1, _DT_VERNEED, _DT_VERNEEDNUM = 0x6FFFFFFB, 0x6FFFFFFE, 0x6FFFFFFF
_DT_VERDEF, _DT_VERDEFNUM = 0x6FFFFFFC, 0x6FFFFFFD
_DF_1_PIE = 0x08000000
_WEAK = 2
_NT_GNU_BUILD_ID = 3

_MOST_ROWS = 16384
_LARGEST_ROW = 64
_MOST_VERSIONS = 4096
_LONGEST_STRING = 4096
_NAMES_LIMIT = 1024 * 1024
_FAR = 1 << 62
_NOTES_LIMIT = 64 * 1024


class Segment(NamedTuple):
    """A loaded part of the file: `size` bytes from `offset`, loaded at `address`."""

    address: int
    offset: int
    size: int


class Note(NamedTuple):
    """A note: its owner (``GNU``, ``Go``, ``FDO``), the owner's type number, and its content."""

    owner: str
    type: int
    content: bytes


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


class _Header(NamedTuple):
    """The used fields of a program or section header."""

    type: int
    name: int
    address: int
    offset: int
    size: int


class _File(NamedTuple):
    """A file with its byte order and word size."""

    read: Reader
    order: str
    word: int

    def unpack(self, form: str, data: bytes) -> tuple[int, ...]:
        """Return the numbers at the start of `data`.  Raise struct.error when it is too short."""
        return struct.unpack_from(self.order + form, data)

    def table(self, form: str, offset: int, count: int, stride: int) -> Iterator[tuple[int, ...]]:
        """Yield the rows of a table, as many as the file contains."""
        size = struct.calcsize(self.order + form)
        if not size <= stride <= _LARGEST_ROW:
            return
        data = self.read(offset, stride * min(count, _MOST_ROWS))
        for start in range(0, len(data) - size + 1, stride):
            yield struct.unpack_from(self.order + form, data, start)

    def string(self, offset: int) -> str:
        """Return the NUL-terminated string at an offset, empty when it is not terminated."""
        for size in (256, _LONGEST_STRING):
            text, end, _ = self.read(offset, size).partition(b"\0")
            if end:
                return text.decode("utf-8", "surrogateescape")
        return ""


class _Dynamic(NamedTuple):
    """The dynamic section: (tag, value) in order, and the file offset of its string table."""

    entries: tuple[tuple[int, int], ...]
    strings: int

    def values(self, tag: int) -> tuple[int, ...]:
        return tuple(value for each, value in self.entries if each == tag)

    def first(self, tag: int) -> int:
        return next(iter(self.values(tag)), 0)


def is_elf(head: bytes) -> bool:
    """True when the first bytes of a file are the magic number of ELF."""
    return head.startswith(_MAGIC)


def parse_elf(read: Reader) -> Elf | None:
    """Return the parsed file, or None when it is not an ELF file.

    Reads a few pieces of bounded size.  A damaged part is empty.
    """
    ident = read(0, 64)
    if not is_elf(ident) or len(ident) < 52 or ident[4] not in (1, 2) or ident[5] not in (1, 2):
        return None
    file = _File(bounded_reader(read), "<" if ident[5] == 1 else ">", 4 * ident[4])
    form = "HHIIIIIHHHHHH" if file.word == 4 else "HHIQQQIHHHHHH"
    try:
        header = file.unpack(form, ident[16:])
    except struct.error:
        return None
    kind, machine, _, _, phoff, shoff, _, _, phsize, phnum, shsize, shnum, names = header
    programs = _programs(file, phoff, phnum, phsize)
    sections = _sections(file, shoff, shnum, shsize)
    segments = tuple(Segment(p.address, p.offset, p.size) for p in programs if p.type == _PT_LOAD)
    dynamic = _dynamic(file, programs, sections, segments)
    notes = _notes(file, programs, sections)
    strings = [file.string(dynamic.strings + at) for at in dynamic.values(_DT_SONAME)]
    needs, weak = _version_needs(file, dynamic, segments)
    is_pie = kind == 3 and bool(dynamic.first(_DT_FLAGS_1) & _DF_1_PIE)
    return Elf(
        machine=_machine(machine, file.word, is_little=ident[5] == 1),
        kind="executable" if is_pie else _KINDS.get(kind, f"type-{kind}"),
        interpreter=next((file.string(p.offset) for p in programs if p.type == _PT_INTERP), ""),
        soname=strings[0] if strings else "",
        needed=_needed(file, dynamic),
        rpath=_rpath(file, dynamic),
        build_id=next((n.content.hex() for n in notes if _is_build_id(n)), ""),
        version_needs=needs,
        sections=_by_name(file, sections, names),
        notes=notes,
        segments=segments,
        is_little=ident[5] == 1,
        word=file.word,
        weak_versions=weak,
        version_definitions=_version_definitions(file, dynamic, segments),
    )


def offset_of(segments: tuple[Segment, ...], address: int) -> int | None:
    """Return the file offset that an address is loaded from, or None when it is not loaded."""
    for segment in segments:
        if segment.address <= address < segment.address + segment.size:
            return segment.offset + address - segment.address
    return None


def bounded_reader(read: Reader) -> Reader:
    """Return a reader that returns no bytes for impossible offsets and sizes."""

    def within(offset: int, size: int) -> bytes:
        return read(offset, size) if 0 <= offset < _FAR and size > 0 else b""

    return within


def _machine(number: int, word: int, *, is_little: bool) -> str:
    name = _MACHINES.get(number, f"machine-{number}")
    if name == "x86_64" and word == 4:
        return "x32"
    if name in ("ppc64", "mips") and is_little:
        return f"{name}le" if name == "ppc64" else "mipsel"
    if name in ("riscv", "loongarch"):
        return f"{name}{word * 8}"
    return name


def _programs(file: _File, offset: int, count: int, stride: int) -> list[_Header]:
    if file.word == 4:
        rows = file.table("IIIII", offset, count, stride)
        return [_Header(kind, 0, at, where, size) for kind, where, at, _, size in rows]
    rows = file.table("IIQQQQ", offset, count, stride)
    return [_Header(kind, 0, at, where, size) for kind, _, where, at, _, size in rows]


def _sections(file: _File, offset: int, count: int, stride: int) -> list[_Header]:
    form = "IIIIII" if file.word == 4 else "IIQQQQ"
    if not offset:
        return []
    if not count:  # too many for the header: the size of the first section is their number
        count = next((row[5] for row in file.table(form, offset, 1, stride)), 0)
    rows = file.table(form, offset, count, stride)
    return [_Header(kind, name, at, where, size) for name, kind, _, at, where, size in rows]


def _by_name(file: _File, sections: list[_Header], index: int) -> dict[str, tuple[int, int]]:
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
    file: _File,
    programs: list[_Header],
    sections: list[_Header],
    segments: tuple[Segment, ...],
) -> _Dynamic:
    headers = [p for p in programs if p.type == _PT_DYNAMIC]
    # In a file of debugging symbols the segments point at content that was removed.
    removed = {(s.offset, s.size) for s in sections if s.type == _SHT_NOBITS}
    is_removed = any((p.offset, p.size) in removed for p in headers)
    headers = headers or [s for s in sections if s.type == _SHT_DYNAMIC]
    if not headers or is_removed:
        return _Dynamic((), 0)
    form, stride = ("II", 8) if file.word == 4 else ("QQ", 16)
    entries = []
    for tag, value in file.table(form, headers[0].offset, headers[0].size // stride, stride):
        if not tag:
            break
        entries.append((tag, value))
    found = _Dynamic(tuple(entries), 0)
    strings = offset_of(segments, found.first(_DT_STRTAB))
    return found._replace(strings=strings) if strings is not None else _Dynamic((), 0)


def _needed(file: _File, dynamic: _Dynamic) -> tuple[str, ...]:
    names = (file.string(dynamic.strings + at) for at in dynamic.values(_DT_NEEDED))
    return tuple(name for name in names if name)


def _rpath(file: _File, dynamic: _Dynamic) -> tuple[str, ...]:
    for tag in (_DT_RUNPATH, _DT_RPATH):
        for at in dynamic.values(tag)[:1]:
            folders = file.string(dynamic.strings + at).split(":")
            return tuple(folder for folder in folders if folder)
    return ()


def _version_needs(
    file: _File, dynamic: _Dynamic, segments: tuple[Segment, ...]
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
    file: _File, dynamic: _Dynamic, segments: tuple[Segment, ...]
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


def _notes(file: _File, programs: list[_Header], sections: list[_Header]) -> tuple[Note, ...]:
    """Return the notes: of the sections if there are any, since these are more complete."""
    headers = [s for s in sections if s.type == _SHT_NOTE]
    headers = headers or [p for p in programs if p.type == _PT_NOTE]
    notes: list[Note] = []
    for header in headers[:64]:
        data = file.read(header.offset, min(header.size, _NOTES_LIMIT))
        notes += _parse_notes(file, data)
    return tuple(notes)


def _parse_notes(file: _File, data: bytes) -> Iterator[Note]:
    at = 0
    while at + 12 <= len(data):
        name_size, size, kind = file.unpack("III", data[at : at + 12])
        content = at + 12 + (name_size + 3) // 4 * 4
        following = content + (size + 3) // 4 * 4
        if content + size > len(data):
            return
        owner = data[at + 12 : at + 12 + name_size].partition(b"\0")[0]
        yield Note(owner.decode("ascii", "replace"), kind, data[content : content + size])
        at = following


def _is_build_id(note: Note) -> bool:
    return note.owner == "GNU" and note.type == _NT_GNU_BUILD_ID and 4 <= len(note.content) <= 64
