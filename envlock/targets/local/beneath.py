"""Open files and directories below a root directory, never outside it.

Each step of a path is opened relative to the directory before it and follows no symbolic link
(openat(2), O_NOFOLLOW).  So a directory that somebody replaces by a link during a capture leads to
an error, not out of the root.  Worker processes import this module, so it imports little, and only
from the standard library.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

_DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Beneath:
    """A root directory, and the open directories on the way to the last path that was used.

    `root` is a path on this machine (empty for its own root) whose symbolic links are followed.
    Paths are absolute, from the root, and must hold no symbolic link, ``.`` or ``..``.  Most paths
    share their directory with the one before, so that few directories are opened twice.  Not for
    several threads.
    """

    def __init__(self, root: str | bytes) -> None:
        root = os.fsencode(root) or b"/"
        self._root = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._names: list[bytes] = []
        self._open: list[int] = []
        self._last: tuple[bytes, int] = (b"", self._root)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def directory(self, path: str | bytes) -> int:
        """Return an O_PATH descriptor of a directory, which stays open until the next call.

        Raise NotADirectoryError when a step is not a directory, a symbolic link included.
        """
        path = os.fsencode(path)
        if path == self._last[0]:
            return self._last[1]
        wanted = [name for name in path.split(b"/") if name]
        if b".." in wanted:
            raise ValueError(f"a path with ..: {path!r}")
        common = 0
        for known, name in zip(self._names, wanted, strict=False):
            if known != name:
                break
            common += 1
        self._close_after(common)
        for name in wanted[common:]:
            parent = self._open[-1] if self._open else self._root
            self._open.append(os.open(name, _DIRECTORY, dir_fd=parent))
            self._names.append(name)
        self._last = path, self._open[-1] if self._open else self._root
        return self._last[1]

    def open(self, path: str | bytes, flags: int) -> int:
        """Return a descriptor of a path that is no link; for `flags` and errors see openat(2)."""
        parent, _, name = os.fsencode(path).rpartition(b"/")
        if name in (b"", b".", b".."):
            raise IsADirectoryError(f"not the path of a file: {path!r}")
        flags |= os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(name, flags, dir_fd=self.directory(parent))

    def close(self) -> None:
        """Close every descriptor."""
        self._close_after(0)
        if self._root >= 0:
            os.close(self._root)
            self._root = -1

    def _close_after(self, count: int) -> None:
        self._last = (b"", self._root)
        while len(self._open) > count:
            os.close(self._open.pop())
            self._names.pop()


def path_of(descriptor: int) -> str:
    """Return a path that leads to an open directory, whatever is done to its name (proc(5))."""
    return f"/proc/self/fd/{descriptor}"
