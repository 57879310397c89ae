"""Roots: from the text of a declaration to the first files and records of an application."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from envlock.model.process import ProcessConfig
from envlock.model.scope import Root, RootKind
from envlock.model.tree import EntryType
from envlock.scope.graph import Around, Item, Need
from envlock.scope.programs import executable, find_program

Start = Callable[[str, Around], Iterator[Need]]
"""(argument of the root, what is around it) -> the first needs of the application."""


def begin(root: Root, around: Around) -> Around:
    """Return what is around the application of a root: with the variables it is started with."""
    process = around.view.process()
    if process is None:
        return around
    around = replace(around, variables=process.environ)
    if root.kind is RootKind.PROCESS and process.workdir:
        around = replace(around, workdir=process.workdir)
    return around


def start(root: Root, around: Around) -> Iterator[Need]:
    """Yield the first needs of a root; a root that is not there yields none, with a gap."""
    found = False
    for need in STARTS[root.kind](root.argument, around):
        found = True
        yield need
    if not found:
        around.view.gap(str(root), "there is no such root here")


def _exe(argument: str, around: Around) -> Iterator[Need]:
    program = find_program(argument, around)
    if program is not None:
        yield Need(program)


def _process(_argument: str, around: Around) -> Iterator[Need]:
    """Yield each word of the command that names a program or an existing file.

    So what a wrapper starts (``tini -- gunicorn shop:app``, ``sh -c "exec nginx"``) is found too.
    """
    process = around.view.process()
    if process is None:
        return
    if process.exe:
        found = around.real(process.exe)
        if found is not None:
            yield Need(found)
    for word in _words(process):
        program = find_program(word, around)
        if program is not None:
            yield Need(program)
        elif "/" in word:
            file = around.real(word)
            entry = around.view.stat(file.path) if file else None
            if file and entry and entry.type is EntryType.FILE:
                yield Need(file)


def _words(process: ProcessConfig) -> Iterator[str]:
    """Yield the words of a command, also those inside of a script for a shell."""
    for argument in (*process.entrypoint, *process.cmd):
        yield argument
        if " " in argument.strip():
            lexer = shlex.shlex(argument, posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
            try:
                yield from lexer
            except ValueError:
                yield from argument.split()


def _package(argument: str, around: Around) -> Iterator[Need]:
    for section in ("deb", "rpm", "apk", "pacman"):
        for key in around.lock.sections.get(section, {}):
            if argument in (key, key.partition(":")[0]):
                yield Need(Item(section, key))


def _dir(argument: str, around: Around) -> Iterator[Need]:
    top = around.real(argument)
    folders = [top.path] if top else []
    while folders:
        folder = folders.pop()
        for name in around.view.names(folder):
            path = f"{folder.rstrip('/')}/{name}"
            entry = around.view.stat(path)
            if entry is not None and entry.type is EntryType.DIRECTORY:
                folders.append(path)
            elif entry is not None:
                file = executable(path, around)
                if file is not None:
                    yield Need(file)


def _nothing(_argument: str, _around: Around) -> Iterator[Need]:
    return iter(())


STARTS: Mapping[RootKind, Start] = {
    RootKind.EXE: _exe,
    RootKind.PROCESS: _process,
    RootKind.PACKAGE: _package,
    RootKind.DIR: _dir,
    RootKind.PYTHON: _nothing,
    RootKind.CONDA: _nothing,
    RootKind.NODE: _nothing,
    RootKind.SERVICE: _nothing,
    RootKind.PID: _nothing,
    RootKind.TRACE: _nothing,
}
