"""What the collectors that look through a scan asked of a target, to tell later what changed it.

Their answer stands as long as nothing they asked for is otherwise.  It is noted on the safe side:
a change that may matter counts as one that does.
"""

from __future__ import annotations

import posixpath
from bisect import bisect_left
from collections.abc import Mapping
from importlib import import_module
from typing import NamedTuple

from envlock.capture.scan.index import Index, Pick, is_picked
from envlock.capture.scan.search import PathSearch
from envlock.model.tree import Entry, EntryType

Picked = tuple[str, str]
"""A function that picks names that are looked through: its module and its name."""

Below = tuple[tuple[str, ...], str]
"""Folders below which paths are looked through, and what those have in them."""


_LINK_LIMIT = 40


class Change(NamedTuple):
    """The paths of a scan that are not as they were, as entries without digests.

    A path that is in both was changed.
    """

    before: Mapping[str, Entry]
    after: Mapping[str, Entry]

    @property
    def paths(self) -> frozenset[str]:
        """Every path that is not as it was."""
        return frozenset((*self.before, *self.after))

    @property
    def appeared_or_vanished(self) -> Mapping[str, Entry]:
        """Paths that are there and were not, or were and are not."""
        both = self.before.keys() & self.after.keys()
        every = (*self.before.items(), *self.after.items())
        return {path: entry for path, entry in every if path not in both}


class AccessLog:
    """What was asked: paths looked at, directories listed, patterns sought, names looked through.

    `is_complete` is False once something was asked that no look at files can tell again.
    """

    def __init__(self) -> None:
        self.paths: set[str] = set()
        self.folders: set[str] = set()
        self.patterns: set[str] = set()
        self.picks: set[Picked] = set()
        self.below: set[Below] = set()
        self.is_complete = True

    def record_pick(self, pick: Pick) -> None:
        """Note that names were looked through, by a function that can be found again."""
        if "<" in pick.__qualname__:  # a lambda, or made in another function
            self.is_complete = False
            return
        self.picks.add((pick.__module__, pick.__qualname__))

    def is_affected_by(self, change: Change) -> bool:
        """True when an answer may have been another one now."""
        paths, appeared_or_vanished = change.paths, change.appeared_or_vanished
        if not self.is_complete or not paths.isdisjoint(self.paths):
            return True
        if any(posixpath.dirname(path) in self.folders for path in appeared_or_vanished):
            return True
        return (
            self._leads_elsewhere(change)
            or bool(PathSearch(Index.of(appeared_or_vanished.values())).find(self.patterns))
            or self._is_looked_through(change)
        )

    def _leads_elsewhere(self, change: Change) -> bool:
        """True when a link now stands where something below it was asked for."""
        links = [e.path for e in change.after.values() if e.type is EntryType.SYMLINK]
        if not links:
            return False
        asked = sorted((*self.paths, *self.folders))
        return any(_has_below(asked, path) for path in links)

    def _is_looked_through(self, change: Change) -> bool:
        entries = (*change.before.values(), *change.after.values())
        for module, name in self.picks:
            pick = getattr(import_module(module), name)
            if any(is_picked(entry, pick) for entry in entries):
                return True
        return any(
            path.startswith(folders) and within in path
            for path in change.paths
            for folders, within in self.below
        )


def _has_below(ordered: list[str], path: str) -> bool:
    below = f"{path}/"
    at = bisect_left(ordered, below)
    return at < len(ordered) and ordered[at].startswith(below)


class Trails:
    """Where paths lead in a scan: the links on the way, and the path that is no link."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._known: dict[str, tuple[frozenset[str], str]] = {"": (frozenset(), "")}

    def follow(self, path: str, depth: int = 0) -> tuple[frozenset[str], str]:
        """Return the links that lead to `path`, and the path without any."""
        todo = []
        head = path.rstrip("/")
        while head not in self._known:
            todo.append(head)
            head = head.rpartition("/")[0]
        links, real = self._known[head]
        for place in reversed(todo):
            links, real = self._step(links, real, place.rpartition("/")[2], depth)
            self._known[place] = links, real
        return links, real

    def _step(
        self, links: frozenset[str], real: str, name: str, depth: int
    ) -> tuple[frozenset[str], str]:
        """Go on to a name in a folder that is reached by `links` and is no link."""
        if name in ("", "."):
            return links, real
        if name == "..":
            return links, real.rpartition("/")[0]
        here = f"{real}/{name}"
        target = self._index.link(here)
        if target is None or depth >= _LINK_LIMIT:
            return links, here
        start = "" if target.startswith("/") else f"{real}/"
        more, end = self.follow(f"{start}{target}", depth + 1)
        return links | more | {here}, end


def with_trails(notes: AccessLog, index: Index) -> AccessLog:
    """Return the notes with every link that led to what was asked for, and what it led to."""
    trails = Trails(index)
    found = AccessLog()
    found.patterns, found.picks, found.below = notes.patterns, notes.picks, notes.below
    found.is_complete = notes.is_complete
    for path in notes.paths:
        links, real = trails.follow(path)
        found.paths |= links
        found.paths.add(real)
    for path in notes.folders:
        links, real = trails.follow(path)
        found.paths |= links
        found.folders.add(real)
    found.paths |= notes.paths
    found.folders |= notes.folders
    return found
