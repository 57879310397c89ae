"""How an ELF file is linked: the part of it that the dynamic loader reads.

Sources: System V ABI, chapter 5, "Dynamic Section"; ld.so(8) for the run paths.
"""

from __future__ import annotations

from typing import NamedTuple

from envlock.formats.binary.elf import Reader, parse_elf


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
    """Return how a file is linked, or None when it is not an ELF file."""
    elf = parse_elf(read)
    if elf is None:
        return None
    return Linkage(
        machine=elf.machine,
        word=elf.word,
        interpreter=elf.interpreter,
        soname=elf.soname,
        needed=elf.needed,
        runpath=elf.rpath,
    )
