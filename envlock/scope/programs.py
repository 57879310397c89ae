"""Programs by name, as a shell and execvp(3) find them: along the PATH of the application."""

from __future__ import annotations

from envlock.model.tree import EntryType
from envlock.scope.graph import Around, File

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""The PATH of an application that has none: that of container engines and of service managers."""


def find_program(name: str, around: Around) -> File | None:
    """Return the executable file that `name` starts, links followed; None when there is none.

    A name with a slash is a path, from the working directory.
    """
    if "/" in name:
        return executable(name, around)
    for folder in around.variables.get("PATH", DEFAULT_PATH).split(":"):
        found = executable(f"{folder or '.'}/{name}", around)
        if found is not None:
            return found
    return None


def executable(path: str, around: Around) -> File | None:
    """Return the file that `path` leads to if it is a regular file that somebody may execute."""
    found = around.real(path)
    entry = around.view.stat(found.path) if found else None
    if entry is None or entry.type not in (EntryType.FILE, EntryType.HARDLINK):
        return None
    return found if entry.mode & 0o111 or entry.type is EntryType.HARDLINK else None
