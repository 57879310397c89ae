"""Roots: from the text of a declaration to the first files and records of an application."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

from envlock.model.scope import Root, RootKind
from envlock.model.tree import EntryType
from envlock.scope.commands import SHELLS, started_by
from envlock.scope.edges.node import application, application_root
from envlock.scope.folders import files_below
from envlock.scope.graph import Around, File, Item, Need
from envlock.scope.packages import SYSTEMS, installed
from envlock.scope.processes import around_process, mapped, process_needs
from envlock.scope.programs import executable, find_path, started_program
from envlock.scope.python_envs import (
    environment_at,
    environment_of_program,
    release_of,
    visible_to,
)
from envlock.scope.script_lines import interpreter_of
from envlock.scope.services import around_service, service_needs
from envlock.scope.traced import traced

_PROGRAM = re.compile(r"/s?bin/[^/]+\Z|\.so(?:\.[\d.]+)?\Z|/libexec/")
"""Paths of programs and libraries of a package."""
_LIBRARY = re.compile(r"\.(?:so(?:\.[\d.]+)?|node|jar|war)\Z")

Start = Callable[[str, Around], Iterator[Need]]
"""(argument of the root, what is around it) -> the first needs of the application."""


def begin(root: Root, around: Around) -> Around:
    """Return what is around the application of a root: with the variables it is started with.

    A relative root of a container or an image starts from the directory that its process does.
    """
    if root.kind is RootKind.SERVICE:
        return around_service(root.argument, around)
    if root.kind is RootKind.PID:
        return around_process(root.argument, around)
    process = around.view.process()
    if process is None:
        return around
    around = replace(around, variables=process.environ)
    if process.workdir and (root.kind is RootKind.PROCESS or around.workdir == "/"):
        around = replace(around, workdir=process.workdir)
    return around


def start(root: Root, around: Around) -> Iterator[Need]:
    """Yield the first needs of a root, and what runs of it touched; without any there is a gap."""
    found = False
    for need in chain(ROOTS[root.kind].start(root.argument, around), traced(around, str(root))):
        found = True
        yield need
    if not found:
        around.view.gap(str(root), "there is no such root here")


def _exe(argument: str, around: Around) -> Iterator[Need]:
    return started_program(argument, "", around)


def _process(_argument: str, around: Around) -> Iterator[Need]:
    """Yield what the command starts, through wrappers (``tini -- gunicorn shop:app``).

    An entrypoint that is a shell script mostly ends with ``exec "$@"``, so that what follows it is
    taken as a command too.
    """
    process = around.view.process()
    if process is None:
        return
    words = (*process.entrypoint, *process.cmd)
    needs = list(started_by(words, around))
    if process.entrypoint and process.cmd and _is_shell_script(process.entrypoint[-1], around):
        needs += started_by(process.cmd, around)
    if process.exe:
        needs += _executed(process.exe, needs, around)
    yield from needs
    yield from mapped(process.maps, around)


def _executed(path: str, known: Sequence[Need], around: Around) -> Iterator[Need]:
    """Yield the program that a process runs, by its real path.

    That of a virtual environment is the interpreter it was made with, whose own environment the
    process does not see.
    """
    is_told = any(isinstance(each.node, Item) and each.node.section == "python" for each in known)
    for need in started_program(path, "", around):
        if not (is_told and isinstance(need.node, Item) and need.node.section == "python"):
            yield need


def _is_shell_script(name: str, around: Around) -> bool:
    path = find_path(name, around)
    real = around.view.resolve(path) if path else ""
    return bool(real) and posixpath.basename(interpreter_of(real, around)) in SHELLS


def _package(argument: str, around: Around) -> Iterator[Need]:
    """Yield a package, and its programs and libraries."""
    for system in SYSTEMS:
        for key in around.lock.sections.get(system, {}):
            if argument not in (key, key.partition(":")[0], key.rpartition(".")[0]):
                continue
            yield Need(Item(system, key))
            for path in installed(around, system).files(key):
                if _PROGRAM.search(path):
                    file = around.real(path)
                    entry = around.view.stat(file.path) if file else None
                    if file and entry and entry.type is not EntryType.DIRECTORY:
                        yield Need(file)


def _python(argument: str, around: Around) -> Iterator[Need]:
    """Yield the environment that a directory or an interpreter names, and that interpreter."""
    found = around.real(argument)
    if found is None:
        return
    entry = around.view.stat(found.path)
    if entry is not None and entry.type is EntryType.DIRECTORY:
        environment = environment_at(found.path, around)
        if environment is not None:
            yield Need(Item("python", environment.key))
        return
    path = posixpath.normpath(posixpath.join(around.workdir, argument))
    environment = environment_of_program(path, around)
    if environment is None:
        release = release_of(found.path, around)
        for each in visible_to(found.path, release, around):
            yield Need(Item("python", each.key))
    yield from started_program(path, "", around)


def _conda(argument: str, around: Around) -> Iterator[Need]:
    """Yield the packages of a conda environment, and the Python environment in it."""
    found = around.real(argument)
    records = around.lock.sections.get("conda", {})
    for key, facts in records.items():
        if found is not None and "/" not in key and facts.get("path") == found.path:
            yield Need(Item("conda", key))
            yield from (Need(Item("conda", each)) for each in records if each.startswith(f"{key}/"))
    yield from _python(argument, around)


def _dir(argument: str, around: Around) -> Iterator[Need]:
    """Yield the programs, libraries, scripts, archives and Node applications below a directory."""
    top = around.real(argument)
    for path in files_below(top.path, around) if top else ():
        name = posixpath.basename(path)
        if name == "package.json" and "/node_modules/" not in path:
            yield from application(posixpath.dirname(path), around)
        elif _LIBRARY.search(name):
            yield Need(File(path))
        elif executable(path, around) is not None:
            yield from started_program(path, "", around)


def _nothing(_argument: str, _around: Around) -> Iterator[Need]:
    return iter(())


class RootForm(NamedTuple):
    """One kind of root: how it is written, where it begins in words, and what finds its start."""

    written: str
    begins: str
    start: Start
    sources: tuple[str, ...]


ROOTS: Mapping[RootKind, RootForm] = {
    RootKind.PYTHON: RootForm(
        "python:PATH",
        "a Python environment, by its directory, its directory of packages or its interpreter; an "
        "interpreter that everything on the machine shares stands for all that it can import",
        _python,
        ("PEP 405", "Python library reference, site"),
    ),
    RootKind.CONDA: RootForm(
        "conda:DIRECTORY",
        "a conda environment with all its packages",
        _conda,
        ("conda documentation, Managing environments",),
    ),
    RootKind.NODE: RootForm(
        "node:DIRECTORY",
        "a Node application, by the directory of its package.json or one below it",
        application_root,
        ("Node.js documentation, Modules",),
    ),
    RootKind.EXE: RootForm(
        "exe:PROGRAM",
        "a program, by its path or by a name that is searched on the PATH",
        _exe,
        ("execvp(3)",),
    ),
    RootKind.SERVICE: RootForm(
        "service:UNIT",
        "a unit of systemd with its drop-ins: what it starts, its environment files, account and "
        "socket; without a unit, the init script of the name",
        service_needs,
        ("systemd.unit(5)", "systemd.service(5)", "systemd.exec(5)"),
    ),
    RootKind.PROCESS: RootForm(
        "process",
        "what a container, an image or a captured process runs, and what that has mapped",
        _process,
        ("OCI Image Specification, config", "proc(5)"),
    ),
    RootKind.PID: RootForm(
        "pid:NUMBER",
        "a running process of this machine: its program, its command and what it has mapped",
        process_needs,
        ("proc(5)",),
    ),
    RootKind.PACKAGE: RootForm(
        "package:NAME",
        "a package of the operating system, with its programs and libraries",
        _package,
        ("dpkg(1)", "rpm(8)", "apk(8)", "pacman(8)"),
    ),
    RootKind.DIR: RootForm(
        "dir:DIRECTORY",
        "every program, library, script, archive and Node application below a directory",
        _dir,
        ("hier(7)",),
    ),
    RootKind.TRACE: RootForm(
        "trace:FILE",
        "what a recorded run touched",
        _nothing,
        ("envlock trace",),
    ),
}
"""Every kind of root; the reference has a row for each."""
