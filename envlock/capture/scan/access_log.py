"""The access log: what the collectors that search a scan asked of the target.

Their records stay valid as long as nothing they asked for changes.  The log errs on the safe side:
a change that may matter counts as one that does.
"""

from __future__ import annotations

import posixpath
from bisect import bisect_left
from collections.abc import Mapping
from importlib import import_module
from typing import NamedTuple

from envlock.capture.scan.index import Index, Pick, is_picked
from envlock.capture.scan.search import FIXTURES, PathSearch
from envlock.model.tree import Entry, EntryType

Picked = tuple[str, str]
"""A function that picks names of the scan: its module and its name."""

Below = tuple[tuple[str, ...], str]
"""Directories whose paths were searched, and a text that these paths contain."""


_LINK_LIMIT = 40


class PathChanges(NamedTuple):
    """The paths of a scan that changed, as entries without digests.

    A path in both mappings was modified; in one of them, it vanished or appeared.
    """

    before: Mapping[str, Entry]
    after: Mapping[str, Entry]

    @property
    def paths(self) -> frozenset[str]:
        """Every path that changed."""
        return frozenset((*self.before, *self.after))

    @property
    def appeared_or_vanished(self) -> Mapping[str, Entry]:
        """Paths that appeared or vanished."""
        both = self.before.keys() & self.after.keys()
        every = (*self.before.items(), *self.after.items())
        return {path: entry for path, entry in every if path not in both}


class AccessLog:
    """What was asked: paths read, directories listed, patterns searched, names picked.

    `is_complete` is False once a question was asked that files alone cannot answer again.
    """

    def __init__(self) -> None:
        self.paths: set[str] = set()
        self.folders: set[str] = set()
        self.patterns: set[str] = set()
        self.picks: set[Picked] = set()
        self.below: set[Below] = set()
        self.is_complete = True

    def record_pick(self, pick: Pick) -> None:
        """Note that names were picked, by a function that can be imported again."""
        if "<" in pick.__qualname__:  # a lambda, or made in another function
            self.is_complete = False
            return
        self.picks.add((pick.__module__, pick.__qualname__))

    def is_affected_by(self, change: PathChanges) -> bool:
        """True when any answer might be different now."""
        paths, appeared_or_vanished = change.paths, change.appeared_or_vanished
        if not self.is_complete or not paths.isdisjoint(self.paths):
            return True
        if any(posixpath.dirname(path) in self.folders for path in appeared_or_vanished):
            return True
        return (
            any(posixpath.basename(path) == FIXTURES for path in appeared_or_vanished)
            or self._leads_elsewhere(change)
            or bool(PathSearch(Index.of(appeared_or_vanished.values())).find(self.patterns))
            or self._is_looked_through(change)
        )

    def _leads_elsewhere(self, change: PathChanges) -> bool:
        """True when a path that is a symbolic link now had something asked for below it."""
        links = [e.path for e in change.after.values() if e.type is EntryType.SYMLINK]
        if not links:
            return False
        asked = sorted((*self.paths, *self.folders))
        return any(_has_below(asked, path) for path in links)

    def _is_looked_through(self, change: PathChanges) -> bool:
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


class LinkResolver:
    """Resolves paths in a scan: the symbolic links on the way, and the real path."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._known: dict[str, tuple[frozenset[str], str]] = {"": (frozenset(), "")}

    def follow(self, path: str, depth: int = 0) -> tuple[frozenset[str], str]:
        """Return the links on the way to `path`, and the real path."""
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
        """Step to a name in the real directory `real`, which was reached by `links`."""
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


def with_symlinks(access_log: AccessLog, index: Index) -> AccessLog:
    """Return the log with every link on the way to a path that was asked for, and the real path."""
    resolver = LinkResolver(index)
    found = AccessLog()
    found.patterns, found.picks, found.below = (
        access_log.patterns,
        access_log.picks,
        access_log.below,
    )
    found.is_complete = access_log.is_complete
    for path in access_log.paths:
        links, real = resolver.follow(path)
        found.paths |= links
        found.paths.add(real)
    for path in access_log.folders:
        links, real = resolver.follow(path)
        found.paths |= links
        found.folders.add(real)
    found.paths |= access_log.paths
    found.folders |= access_log.folders
    return found
