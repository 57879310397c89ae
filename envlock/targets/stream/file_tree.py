"""A file tree that was read from a stream, and the way through its symbolic links."""

from __future__ import annotations

import errno
from collections.abc import Callable

from envlock.model.tree import Entry, EntryType

_LINK_LIMIT = 40


class FileTree:
    """Entries, and the content of small files, by path."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.contents: dict[str, bytes] = {}
        self._children: dict[str, list[str]] = {}
        self._listed = 0

    def children(self, directory: str) -> list[str]:
        """Return the names in a real directory, in no particular order."""
        if self._listed != len(self.entries):
            self._children = {}
            for path in self.entries:
                parent, _, name = path.rpartition("/")
                if name:
                    self._children.setdefault(parent, []).append(name)
            self._listed = len(self.entries)
        return self._children.get(directory.rstrip("/"), [])


def resolve(path: str, known: Callable[[str], Entry | None], *, follow: bool) -> str:
    """Return the real path: links are followed inside the root, a final one with `follow`.

    What is not known is taken as no link.  Raise OSError for a loop.
    """
    done = ""
    todo = [part for part in reversed(path.split("/")) if part]
    links = 0
    while todo:
        part = todo.pop()
        if part in (".", ".."):
            done = done.rpartition("/")[0] if part == ".." else done
            continue
        entry = known(f"{done}/{part}")
        if entry is None or entry.type is not EntryType.SYMLINK or not (todo or follow):
            done = f"{done}/{part}"
            continue
        links += 1
        if links > _LINK_LIMIT:
            raise OSError(errno.ELOOP, "loop of symbolic links", path)
        if entry.target.startswith("/"):
            done = ""
        todo.extend(piece for piece in reversed(entry.target.split("/")) if piece)
    return done or "/"
