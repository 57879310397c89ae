"""Search a scan by pattern without trying every pattern on every path."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping
from operator import itemgetter

from envlock.capture.scan.index import Index, Pick
from envlock.model.glob import Tail, compile_globs, literal_folder
from envlock.model.text import sort_key

_UNPACKED = re.compile(r"(.*/pkgs/)[^/]+/info\Z", re.DOTALL)
_TEMPORARY = ("/tmp/", "/var/tmp/")  # noqa: S108  names in a target

FIXTURES = ".envlock-fixtures"
"""A file of this name says that what is in its directory is test data, and no software."""

_Folder = tuple[str, list[str]]
"""A directory and the names in it."""
_PATH = itemgetter(0)


class PathSearch:
    """Finds paths of a scan by the literal beginning and ending of patterns.

    All collectors of a capture share one; it is used once the scan knows every path.  All names
    are passed once for the `expected` patterns, and once more for each other kind of pattern.
    Directories for temporary files, caches of unpacked conda packages, and directories that are
    marked as fixtures are no part of an environment and are not searched.
    """

    def __init__(self, index: Index, expected: Iterable[str] = ()) -> None:
        self._index = index
        kinds = {Tail.of(pattern) for pattern in expected if not literal_folder(pattern)}
        self._expected = kinds - {Tail()}
        self._ended: dict[Tail, list[str]] = {}
        self._folders: list[_Folder] = []
        self._lasting: list[_Folder] = []
        self._fixtures: tuple[str, ...] = ()
        self._picked: dict[object, list[str]] = {}

    def find(self, patterns: Iterable[str]) -> list[str]:
        """Return the paths that match any pattern, in byte order."""
        self._sort()
        places = {pattern: (literal_folder(pattern), Tail.of(pattern)) for pattern in patterns}
        tails = {tail for head, tail in places.values() if not head} - self._ended.keys()
        if tails:
            self._ended |= _ended(tails | self._expected, self._lasting)
            self._expected = set()
        found: set[str] = set()
        for pattern, (head, tail) in places.items():
            match = compile_globs((pattern,)).match
            ended = _ended({tail}, _below(head, self._lasting)) if head else self._ended
            found.update(path for path in ended[tail] if match(path))
        return sorted(found, key=sort_key)

    def pick(self, pick: Pick) -> list[str]:
        """Return the paths whose names `pick` picks; the result is cached."""
        if pick not in self._picked:
            self._sort()
            found = self._index.pick(pick)
            self._picked[pick] = [p for p in found if not p.startswith(self._fixtures)]
        return self._picked[pick]

    def below(self, folders: Iterable[str]) -> Iterator[str]:
        """Yield the paths below any of the directories, which are given with a final slash."""
        self._sort()
        for prefix in folders:
            for path, names in _below(prefix[:-1], self._folders):
                if not f"{path}/".startswith(self._fixtures):
                    for name in names:
                        yield f"{path}/{name}"

    def _sort(self) -> None:
        if self._folders:
            return
        self._folders = sorted(self._index.by_folder(), key=_PATH)
        caches = set()
        for path, names in self._folders:
            match = _UNPACKED.match(path) if path.endswith("/info") else None
            if match and "index.json" in names:
                caches.add(match[1])
        # The root directory is what was asked for, whatever somebody put into it.
        self._fixtures = tuple(f"{p}/" for p, names in self._folders if p and FIXTURES in names)
        elsewhere = (*_TEMPORARY, *caches, *self._fixtures)
        self._lasting = [each for each in self._folders if not f"{each[0]}/".startswith(elsewhere)]


def _below(folder: str, every: list[_Folder]) -> Iterator[_Folder]:
    """Yield a directory and all below it, from a sorted list."""
    # Siblings such as "folder-2" sort in between.
    start = bisect_left(every, folder, key=_PATH)
    for each in every[start : bisect_left(every, f"{folder}0", key=_PATH)]:
        if each[0] == folder or each[0].startswith(f"{folder}/"):
            yield each


def _ended(tails: Collection[Tail], folders: Iterable[_Folder]) -> Mapping[Tail, list[str]]:
    """Return the paths with each of the endings."""
    found: dict[Tail, list[str]] = {tail: [] for tail in tails}
    of_name = {tail.name: paths for tail, paths in found.items() if tail.name}
    of_extension = {tail.extension: paths for tail, paths in found.items() if tail.extension}
    of_any = found.get(Tail())
    ends = tuple(f".{extension}" for extension in of_extension)
    for folder, names in folders:
        for name in of_name.keys() & names:
            of_name[name].append(f"{folder}/{name}")
        if ends:
            for name in [name for name in names if name.endswith(ends)]:
                of_extension[name[name.rfind(".") + 1 :]].append(f"{folder}/{name}")
        if of_any is not None:
            of_any += [f"{folder}/{name}" for name in names]
    return found
