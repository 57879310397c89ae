"""How an ELF file is linked: the part of it that the dynamic loader reads.

Sources: System V ABI, chapter 5, "Dynamic Section"; ld.so(8) for the run paths; the UAPI group's
"Package Metadata for ELF Files", dlopen notes.

Only a few small pieces of a file are read, since a closure asks for hundreds of files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
    Note,
    Reader,
    dynamic_of,
    header_of,
    interpreter_of,
    loaded_segments,
    notes_of,
    program_headers,
)
from envlock.model.document import parse_json

_DF_1_NODEFLIB = 0x00000800
_NT_FDO_DLOPEN = 0x407C0C0A
HEAD = 4096
"""What is read at once: it holds the headers, the interpreter and the notes of most files."""
_NOTE_LIMIT = 16 * 1024
_MOST_NAMES = 256


class Linkage(NamedTuple):
    """What the loader knows of a file before it searches for libraries; empty where it has none.

    `machine` is the name of uname(1), `word` the bytes of an address (4 or 8).  `interpreter` is
    the loader that the file names.  `needed` are the libraries in file order.  `rpath` and
    `runpath` are the directories as they are written, with ``$ORIGIN`` in them; a file that has a
    RUNPATH has its RPATH ignored by the loader.
    `optional` are the libraries that it says it loads by name (``.note.dlopen``).
    """

    machine: str
    word: int
    interpreter: str = ""
    soname: str = ""
    needed: tuple[str, ...] = ()
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()
    is_nodeflib: bool = False
    """True when it was linked with ``-z nodefaultlib``: default directories are not searched."""
    optional: tuple[str, ...] = ()


def parse_linkage(read: Reader) -> Linkage | None:
    """Return how a file is linked, or None when it is not an ELF file.

    Reads a few pieces of bounded size.  A damaged part is empty.
    """
    head = read(0, HEAD)

    def near(offset: int, size: int) -> bytes:
        end = offset + size
        return head[offset:end] if end <= len(head) else read(offset, size)

    header = header_of(near)
    if header is None:
        return None
    file = header.file
    programs = program_headers(header)
    place = next((p for p in programs if p.type == PT_DYNAMIC), None)
    dynamic = dynamic_of(file, place, loaded_segments(programs)) if place else Dynamic(file)
    has_runpath = bool(dynamic.values(DT_RUNPATH))
    notes = [p for p in programs if p.type == PT_NOTE and p.size <= _NOTE_LIMIT]
    return Linkage(
        machine=header.machine,
        word=file.word,
        interpreter=interpreter_of(file, programs),
        soname=next(iter(dynamic.texts(DT_SONAME)), ""),
        needed=dynamic.texts(DT_NEEDED),
        rpath=() if has_runpath else dynamic.folders(DT_RPATH),
        runpath=dynamic.folders(DT_RUNPATH),
        is_nodeflib=bool(dynamic.first(DT_FLAGS_1) & _DF_1_NODEFLIB),
        optional=_optional(notes_of(file, notes)),
    )


def _optional(notes: Iterable[Note]) -> tuple[str, ...]:
    """Return the libraries of the dlopen notes, in order, each once."""
    names = (name for note in notes if _is_dlopen(note) for name in _names(note.content))
    return tuple(dict.fromkeys(names))[:_MOST_NAMES]


def _is_dlopen(note: Note) -> bool:
    return note.owner == "FDO" and note.type == _NT_FDO_DLOPEN


def _names(content: bytes) -> Iterator[str]:
    """Yield the names in a note: a list of features, each with a list ``soname``."""
    try:
        features = parse_json(content.rstrip(b"\0"))
    except ValueError:
        return
    for feature in features if isinstance(features, list) else ():
        names = feature.get("soname") if isinstance(feature, dict) else ()
        yield from (n for n in names if isinstance(n, str) and n) if isinstance(names, list) else ()
