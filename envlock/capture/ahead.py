"""How the files of a far-away target begin and are linked, asked for many at once.

A closure asks for one file after the other; each question would be a round trip.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping

from envlock.capture.beginnings import LINE_LIMIT
from envlock.formats.binary.linkage import HEAD, Linkage, parse_linkage
from envlock.targets.base import BatchedTarget, Place

PIECE_LIMIT = 64 * 1024
"""Largest piece of a file in bytes that is asked for together with others."""
MOST_FILES = 50_000
"""Most files that are looked at in one call; others are fetched when they are needed."""

_ROUNDS = 6
"""How often the pieces that turned out to be needed are asked for: headers, tables, strings."""
_GENERATIONS = 12
"""How many libraries of libraries are followed ahead."""
_BATCH = 512
_FOLDERS = ("/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib")


class Ahead:
    """What was fetched of files: by real path, how each is linked, and its ``#!`` line.

    `names` lists a directory, and `find` returns the real path of a regular file, or nothing.
    """

    def __init__(
        self,
        target: BatchedTarget,
        names: Callable[[str], Iterable[str]],
        find: Callable[[str], str],
    ) -> None:
        self._target = target
        self._names = names
        self._find = find
        self.linkages: dict[str, Linkage | None] = {}
        self.lines: dict[str, bytes] = {}
        self._tried: set[str] = set()
        self._folders: dict[str, frozenset[str]] = {}
        self._libraries: set[str] = set()

    def fetch(self, paths: Iterable[str]) -> None:
        """Fetch what regular files at real paths begin with, and the libraries that they name.

        Which library the loader picks is not decided here: all of a name are fetched.
        """
        for folder in _FOLDERS:
            self._list(folder)
        wanted = self._untried(paths)
        for _ in range(_GENERATIONS):
            if not wanted:
                break
            self._parse(wanted)
            wanted = self._untried(self._libraries_of(wanted))

    def _untried(self, paths: Iterable[str]) -> list[str]:
        fresh = [path for path in dict.fromkeys(paths) if path not in self._tried][:MOST_FILES]
        self._tried.update(fresh)
        return fresh

    def _libraries_of(self, paths: Iterable[str]) -> Iterator[str]:
        """Yield the files of the names that these files need, wherever libraries are."""
        linked = [(path, found) for path in paths if (found := self.linkages.get(path))]
        for path, linkage in linked:
            self._list(posixpath.dirname(path))
            self._list(posixpath.dirname(self._find(linkage.interpreter) or "/lib/"))
            for folder in (*linkage.rpath, *linkage.runpath):
                origin = folder.replace("${ORIGIN}", "$ORIGIN")
                self._list(origin.replace("$ORIGIN", posixpath.dirname(path)))
            self._libraries.update(linkage.needed, linkage.optional)
        for folder, listed in self._folders.items():
            candidates = (f"{folder}/{name}" for name in sorted(self._libraries & listed))
            yield from filter(None, map(self._find, candidates))

    def _list(self, folder: str) -> None:
        folder = posixpath.normpath(folder)
        if folder.startswith("/") and "$" not in folder and folder not in self._folders:
            self._folders[folder] = frozenset(self._names(folder))

    def _parse(self, paths: list[str]) -> None:
        for start in range(0, len(paths), _BATCH):
            known: dict[str, dict[Place, bytes]] = {path: {} for path in paths[start:][:_BATCH]}
            missing: Mapping[str, set[Place]] = {path: {(0, HEAD)} for path in known}
            for _ in range(_ROUNDS):
                asked = {path: sorted(places) for path, places in missing.items()}
                for path, pieces in self._target.pieces(asked).items():
                    known[path].update(pieces)
                missing = self._parsed(known)
                if not missing:
                    break

    def _parsed(self, known: dict[str, dict[Place, bytes]]) -> dict[str, set[Place]]:
        """Note what can be told from the pieces, and return those that are missing for the rest."""
        missing: dict[str, set[Place]] = {}
        for path, pieces in list(known.items()):
            lacking: set[Place] = set()
            head = pieces.get((0, HEAD))
            linkage = parse_linkage(_reader(pieces, lacking)) if head is not None else None
            if lacking and all(size <= PIECE_LIMIT for _, size in lacking):
                missing[path] = lacking
                continue
            del known[path]
            if head is not None and not lacking:
                self.linkages[path] = linkage
                self.lines[path] = head[:LINE_LIMIT].partition(b"\n")[0]
        return missing


def _reader(pieces: Mapping[Place, bytes], lacking: set[Place]) -> Callable[[int, int], bytes]:
    """Return what reads from pieces, and notes those that it lacks; these are empty to it."""

    def read(offset: int, size: int) -> bytes:
        for (at, most), piece in pieces.items():
            if at <= offset and offset + size <= at + most:
                return piece[offset - at :][:size]
        lacking.add((offset, size))
        return b""

    return read
