r"""Files that a process has mapped into memory.

Source: proc_pid_maps(5): ``ADDRESS PERMISSIONS OFFSET DEVICE INODE PATH``; a newline in a path is
written ``\012``, and `` (deleted)`` follows the path of a file that no longer exists.
"""

from __future__ import annotations

from typing import NamedTuple

from envlock.model.text import sort_key

_DELETED = " (deleted)"
_MAX_LINES = 1_000_000


class Mapped(NamedTuple):
    """A mapped file; `is_deleted` when it was removed or replaced since it was mapped."""

    path: str
    is_deleted: bool = False


def parse_maps(text: str) -> list[Mapped]:
    """Return the mapped files, each once, in byte order; anonymous memory is skipped.

    >>> parse_maps("7f00-7f01 r-xp 00000000 fe:00 42    /usr/lib/libcuda.so.580.95.05 (deleted)")
    [Mapped(path='/usr/lib/libcuda.so.580.95.05', is_deleted=True)]
    """
    found = set()
    for line in text.split("\n", _MAX_LINES)[:_MAX_LINES]:
        words = line.split(None, 5)
        if len(words) == 6 and words[5].startswith("/") and words[4] != "0":
            path = words[5].replace("\\012", "\n")
            is_deleted = path.endswith(_DELETED)
            found.add(Mapped(path.removesuffix(_DELETED), is_deleted))
    return sorted(found, key=lambda mapped: (sort_key(mapped.path), mapped.is_deleted))
