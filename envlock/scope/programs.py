"""Programs by name, as a shell and execvp(3) find them: along the PATH of the application."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from envlock.model.tree import EntryType
from envlock.scope.graph import Around, File, Item, Need
from envlock.scope.python_envs import SECTION, environment_of_program

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""The PATH of an application that has none: that of container engines and of service managers."""


def find_path(name: str, around: Around) -> str:
    """Return the absolute path by which `name` starts a program, its links not followed.

    A name with a slash is a path, from the working directory.  Empty when there is no program.
    """
    top = around.workdir
    if "/" in name:
        candidates = [posixpath.join(top, name)]
    else:
        folders = around.variables.get("PATH", DEFAULT_PATH).split(":")
        candidates = [posixpath.join(top, folder, name) for folder in folders]
    for path in candidates:
        if executable(path, around) is not None:
            return path
    return ""


def find_program(name: str, around: Around) -> File | None:
    """Return the executable file that `name` starts, links followed; None when there is none."""
    path = find_path(name, around)
    return executable(path, around) if path else None


def executable(path: str, around: Around) -> File | None:
    """Return the file that `path` leads to if it is a regular file that somebody may execute."""
    found = around.real(path)
    entry = around.view.stat(found.path) if found else None
    if entry is None or entry.type not in (EntryType.FILE, EntryType.HARDLINK):
        return None
    return found if entry.mode & 0o111 or entry.type is EntryType.HARDLINK else None


def started_program(name: str, evidence: str, around: Around) -> Iterator[Need]:
    """Yield what starting a program by a path or a name leads to.

    It is the file, and the Python environment that the way to the file leads through: an
    environment's ``bin/python`` is a link to an interpreter elsewhere.
    """
    path = find_path(name, around)
    found = executable(path, around) if path else None
    if found is None:
        return
    environment = environment_of_program(path, around)
    if environment is not None:
        yield Need(Item(SECTION, environment.key), evidence)
    yield Need(found, evidence)
    for group in _alternatives(path, around):
        yield Need(Item("alternative", group), evidence)


def _alternatives(path: str, around: Around) -> Iterator[str]:
    """Yield the groups of update-alternatives(1) that the links from a path lead through."""
    for _ in range(40):
        folder, _, name = path.rpartition("/")
        folder = around.view.resolve(folder)
        if folder == "/etc/alternatives" and name in around.lock.sections.get("alternative", {}):
            yield name
        entry = around.view.stat(f"{folder.rstrip('/')}/{name}")
        if entry is None or entry.type is not EntryType.SYMLINK:
            return
        path = posixpath.normpath(posixpath.join(folder, entry.target))
