"""ELF programs that no package owns, opened one by one for collectors to read from."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import BinaryIO, NamedTuple

from envlock.capture.context import Context, describe
from envlock.capture.discover.candidates import may_be_software
from envlock.capture.discover.naming import unique_names
from envlock.formats.binary.elf import Elf, parse_elf
from envlock.formats.binary.elf_file import Reader, bounded_reader, is_elf
from envlock.model.text import sort_key
from envlock.model.tree import Entry, EntryType

_EXECUTABLE = 0o111
_ELSEWHERE = ("/proc/", "/sys/", "/dev/", "/tmp/", "/var/tmp/")  # noqa: S108  names in a target


class Program(NamedTuple):
    """An ELF program; `read` works until the next program is asked for."""

    path: str
    elf: Elf
    read: Reader


def programs(context: Context, owners: tuple[str, ...] = ()) -> Iterator[Program]:
    """Yield the executable ELF files without an owner, or owned by a record of section `owners`.

    Each is open only until the next is asked for.
    """
    wanted = [
        entry
        for entry in context.entries(may_be_software)
        if _is_candidate(entry)
        and _is_wanted(context.owner(entry.path), owners)
        and not _is_unpacked(entry.path, context)
    ]
    for entry in sorted(wanted, key=lambda entry: sort_key(entry.path)):
        stream = context.open(entry)
        if stream is None:
            continue
        with closing(stream):
            try:
                if is_elf(_at(stream, 0, 4)):
                    yield from _program(entry.path, stream)
            except OSError as error:
                context.gap(entry.path, describe(error))


def program_names(paths: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """Return path -> unique name that is not `taken`: the file name, prefixed where needed."""
    first = {f"\0{name}": ("", name) for name in taken}
    names = unique_names(first | {path: (path, posixpath.basename(path)) for path in paths})
    return {path: name for path, name in names.items() if path not in first}


def _is_candidate(entry: Entry) -> bool:
    return (
        entry.type is EntryType.FILE
        and bool(entry.mode & _EXECUTABLE)
        and not entry.path.startswith(_ELSEWHERE)
    )


def _is_wanted(owner: str, owners: tuple[str, ...]) -> bool:
    return not owner or owner.partition(" ")[0] in owners


def _is_unpacked(path: str, context: Context) -> bool:
    """True for a file in a cache of unpacked conda packages."""
    cache, folder, rest = path.partition("/pkgs/")
    package = rest.partition("/")[0]
    return bool(folder) and context.entry(f"{cache}{folder}{package}/info/index.json") is not None


def _program(path: str, stream: BinaryIO) -> Iterator[Program]:
    read = bounded_reader(lambda offset, size: _at(stream, offset, size))
    elf = parse_elf(read)
    if elf is not None:
        yield Program(path, elf, read)


def _at(stream: BinaryIO, offset: int, size: int) -> bytes:
    stream.seek(offset)
    return stream.read(size)
