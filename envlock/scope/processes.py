"""A running process: what it was started with, and what it has mapped.

Source: proc(5): /proc/PID/exe, cmdline, environ, cwd and maps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from envlock.formats.system.process_maps import parse_maps
from envlock.model.scope import MemberClass
from envlock.model.text import from_bytes
from envlock.model.tree import EntryType
from envlock.scope.commands import started_by
from envlock.scope.graph import Around, File, Need
from envlock.scope.programs import started_program

_LIMIT = 64 * 1024 * 1024
MAPPED = "mapped by the process"


def around_process(number: str, around: Around) -> Around:
    """Return what is around the programs of a process: its variables and working directory."""
    pairs = (pair.partition("=") for pair in _words(number, "environ", around))
    variables = {name: value for name, equals, value in pairs if equals}
    return replace(around, variables=variables, workdir=_link(number, "cwd", around) or "/")


def process_needs(number: str, around: Around) -> Iterator[Need]:
    """Yield the program of a process of this machine, what its command names, and its maps."""
    if not number.isdecimal():
        return
    program = _link(number, "exe", around)
    if not program:
        return
    yield from started_program(program, "", around)
    yield from started_by(_words(number, "cmdline", around), around)
    yield from mapped(from_bytes(_read(number, "maps", around)), around)


def mapped(maps: str, around: Around) -> Iterator[Need]:
    """Yield the files in the text of /proc/PID/maps that are still there."""
    for each in parse_maps(maps):
        path = around.view.resolve(each.path)
        entry = around.view.stat(path) if not each.is_deleted else None
        if entry is not None and entry.type in (EntryType.FILE, EntryType.HARDLINK):
            yield Need(File(path), MAPPED, MemberClass.TRACED)


def _read(number: str, name: str, around: Around) -> bytes:
    return around.view.read(f"/proc/{number}/{name}", _LIMIT) or b""


def _words(number: str, name: str, around: Around) -> list[str]:
    if not number.isdecimal():
        return []
    return [from_bytes(word) for word in _read(number, name, around).split(b"\0") if word]


def _link(number: str, name: str, around: Around) -> str:
    if not number.isdecimal():
        return ""
    entry = around.view.stat(f"/proc/{number}/{name}")
    return entry.target if entry is not None and entry.target.startswith("/") else ""
