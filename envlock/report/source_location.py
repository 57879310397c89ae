"""The line that a report points at for a change: in a lockfile of the project, if there is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from envlock.diff.drift import Change
from envlock.lockfile.lines import Lines
from envlock.model.scoping import Identity
from envlock.report.wording import is_setting

_WITHOUT_LOCK = "envlock.toml"
_TREE = "tree"


class SourceLocation(NamedTuple):
    """A file of the project, and a line in it, counted from 1."""

    path: str
    line: int


class LockText(NamedTuple):
    """One of the two lockfiles that are compared.

    `path` is relative to the root of the project, with slashes.  `is_current` is False for a file
    of another git revision: its line numbers are not those of the checkout.
    """

    path: str
    lines: Lines
    is_current: bool = True


class LockTexts(NamedTuple):
    """The lockfiles of both sides; None for a side that is not a file, such as a live target.

    `original` are the keys that records have in them, where a comparison names them by role.
    """

    left: LockText | None = None
    right: LockText | None = None
    original: tuple[Mapping[Identity, str], Mapping[Identity, str]] = ({}, {})

    def locate(self, change: Change) -> SourceLocation:
        """Return the line of the changed fact or record, else of its section, else line 1.

        The right lock is preferred, because the right side is the one that is judged.  Without any
        lockfile the location is envlock.toml, which names the environments.
        """
        for lock in self._preferred():
            fact = "" if is_setting(change) else change.field
            known = self.original[lock is self.right]
            key = known.get((change.section, change.key), change.key)
            line = lock.lines.find(change.section, key, fact)
            if line is not None and lock.is_current:
                return SourceLocation(lock.path, line)
        for lock in self._preferred():
            # A file without a record of its own is in the tree, of which the lock has the digest.
            section = _TREE if change.section == "file" else change.section
            return SourceLocation(lock.path, lock.lines.find_section(section) or 1)
        return SourceLocation(_WITHOUT_LOCK, 1)

    def _preferred(self) -> Iterator[LockText]:
        found = [lock for lock in (self.right, self.left) if lock is not None]
        yield from sorted(found, key=lambda lock: not lock.is_current)
