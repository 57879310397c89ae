"""Where a change can be pointed at: a line of a lockfile that lies in the project."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from envlock.diff.drift import Change
from envlock.lockfile.lines import Lines
from envlock.report.wording import is_setting

_NO_LOCK = "envlock.toml"
_TREE = "tree"


class LockText(NamedTuple):
    """One of the two lockfiles.

    `path` is relative to the root of the project, with slashes.  `is_current` is False for a file
    of another revision, whose lines are not those that a reader sees.
    """

    path: str
    lines: Lines
    is_current: bool = True


class Place(NamedTuple):
    """A file of the project and a line in it, from 1."""

    path: str
    line: int


class Places(NamedTuple):
    """The lockfiles of both sides; None for a side that is no file, such as a live target."""

    left: LockText | None = None
    right: LockText | None = None

    def find(self, change: Change) -> Place:
        """Return where `change` shows: its fact or record, else its section, else the first line.

        The right lock is the one that is judged, so it comes first.  Where there is no lockfile
        at all the place is the configuration, which names the environments.
        """
        for lock in self._preferred():
            fact = "" if is_setting(change) else change.field
            line = lock.lines.find(change.section, change.key, fact)
            if line is not None and lock.is_current:
                return Place(lock.path, line)
        for lock in self._preferred():
            # A path that is not in the lock is in the tree, which the lock only names.
            section = _TREE if change.section == "file" else change.section
            return Place(lock.path, lock.lines.find_section(section) or 1)
        return Place(_NO_LOCK, 1)

    def _preferred(self) -> Iterator[LockText]:
        found = [lock for lock in (self.right, self.left) if lock is not None]
        yield from sorted(found, key=lambda lock: not lock.is_current)
