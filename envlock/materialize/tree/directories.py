"""Times of directories: no package records them, and every installation changes them.

A directory gets the time of the newest entry below it.  So the directories of a layer depend only
on the layer's own content, and an unrelated update does not change its digest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from envlock.model.tree import Entry, EntryType, Row


def ancestors(path: str) -> Iterator[str]:
    """Yield the directories above `path`, nearest first, without the root."""
    while (path := path[: path.rindex("/")]) != "":
        yield path


def leaves(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Return the rows with nothing below them: everything but directories with entries."""
    rows = tuple(rows)
    parents = {row.entry.path.rpartition("/")[0] for row in rows}
    return tuple(
        row
        for row in rows
        if row.entry.type is not EntryType.DIRECTORY or row.entry.path not in parents
    )


def newest_below(entries: Iterable[Entry]) -> dict[str, int]:
    """Return directory -> newest mtime among the `entries` (leaves) below it."""
    newest: dict[str, int] = {}
    for entry in entries:
        for directory in ancestors(entry.path):
            if directory in newest and newest[directory] >= entry.mtime:
                break
            newest[directory] = entry.mtime
    return newest
