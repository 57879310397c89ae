"""The parts of an ELF file that every reader of it needs: header, segments, dynamic section, notes.

Sources: System V ABI (gABI), chapters 4 and 5; the processor supplements for the machine numbers.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

Reader = Callable[[int, int], bytes]
"""(offset, size) -> bytes; fewer, or none, at the end of the file."""

_MAGIC = b"\x7fELF"
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

PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE = 1, 2, 3, 4
DT_NEEDED, DT_STRTAB, DT_SONAME, DT_RPATH, DT_RUNPATH = 1, 5, 14, 15, 29
DT_FLAGS_1 = 0x6FFFFFFB

_MOST_ROWS = 16384
_LARGEST_ROW = 64
_LONGEST_STRING = 4096
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


class Header(NamedTuple):
    """The used fields of a program or section header."""

    type: int
    name: int
    address: int
    offset: int
    size: int


class ElfFile(NamedTuple):
    """A file with its byte order (``<`` or ``>``) and word size (4 or 8 bytes)."""

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


class FileHeader(NamedTuple):
    """The header of a file: its type number, its machine, and where the tables of headers are.

    `programs` and `sections` are (offset, count, bytes of a row); `names` is the number of the
    section that holds the names of sections.
    """

    file: ElfFile
    type: int
    machine: str
    programs: tuple[int, int, int]
    sections: tuple[int, int, int]
    names: int


class Dynamic(NamedTuple):
    """The dynamic section: (tag, value) in order, and the file offset of its string table."""

    file: ElfFile
    entries: tuple[tuple[int, int], ...] = ()
    strings: int = 0

    def values(self, tag: int) -> tuple[int, ...]:
        """Return the values of a tag, in file order."""
        return tuple(value for each, value in self.entries if each == tag)

    def first(self, tag: int) -> int:
        """Return the first value of a tag, 0 without one."""
        return next(iter(self.values(tag)), 0)

    def texts(self, tag: int) -> tuple[str, ...]:
        """Return the values of a tag as strings, without empty ones."""
        texts = (self.file.string(self.strings + at) for at in self.values(tag))
        return tuple(text for text in texts if text)

    def folders(self, tag: int) -> tuple[str, ...]:
        """Return the directories of a run path, as they are written; empty ones are kept."""
        for text in self.texts(tag)[:1]:
            return tuple(text.split(":"))
        return ()


def is_elf(head: bytes) -> bool:
    """True when the first bytes of a file are the magic number of ELF."""
    return head.startswith(_MAGIC)


def header_of(read: Reader) -> FileHeader | None:
    """Return the header of a file, or None when it is not an ELF file.  `read` may fail late."""
    ident = read(0, 64)
    if not is_elf(ident) or len(ident) < 52 or ident[4] not in (1, 2) or ident[5] not in (1, 2):
        return None
    file = ElfFile(bounded_reader(read), "<" if ident[5] == 1 else ">", 4 * ident[4])
    form = "HHIIIIIHHHHHH" if file.word == 4 else "HHIQQQIHHHHHH"
    try:
        header = file.unpack(form, ident[16:])
    except struct.error:
        return None
    kind, machine, _, _, phoff, shoff, _, _, phsize, phnum, shsize, shnum, names = header
    name = _machine(machine, file.word, is_little=ident[5] == 1)
    return FileHeader(file, kind, name, (phoff, phnum, phsize), (shoff, shnum, shsize), names)


def program_headers(header: FileHeader) -> list[Header]:
    """Return the program headers, in file order."""
    if header.file.word == 4:
        rows = header.file.table("IIIII", *header.programs)
        return [Header(kind, 0, at, where, size) for kind, where, at, _, size in rows]
    rows = header.file.table("IIQQQQ", *header.programs)
    return [Header(kind, 0, at, where, size) for kind, _, where, at, _, size in rows]


def loaded_segments(programs: list[Header]) -> tuple[Segment, ...]:
    """Return the parts of the file that are loaded."""
    return tuple(Segment(p.address, p.offset, p.size) for p in programs if p.type == PT_LOAD)


def dynamic_of(file: ElfFile, place: Header, segments: tuple[Segment, ...]) -> Dynamic:
    """Return the dynamic section that a header names; an empty one without its strings."""
    form, stride = ("II", 8) if file.word == 4 else ("QQ", 16)
    entries = []
    for tag, value in file.table(form, place.offset, place.size // stride, stride):
        if not tag:
            break
        entries.append((tag, value))
    found = Dynamic(file, tuple(entries))
    strings = offset_of(segments, found.first(DT_STRTAB))
    return found._replace(strings=strings) if strings is not None else Dynamic(file)


def interpreter_of(file: ElfFile, programs: list[Header]) -> str:
    """Return the dynamic loader that a program names, empty for none."""
    return next((file.string(p.offset) for p in programs if p.type == PT_INTERP), "")


def notes_of(file: ElfFile, headers: list[Header]) -> tuple[Note, ...]:
    """Return the notes in the parts of the file that these headers name."""
    notes: list[Note] = []
    for header in headers[:64]:
        data = file.read(header.offset, min(header.size, _NOTES_LIMIT))
        notes += _notes(file, data)
    return tuple(notes)


def _notes(file: ElfFile, data: bytes) -> Iterator[Note]:
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
