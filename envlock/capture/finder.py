"""Find paths of a scan by pattern without trying the pattern on each of them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter

from envlock.capture.index import Index
from envlock.model.glob import Tail, compile_globs
from envlock.model.text import sort_key

_UNPACKED = re.compile(r"(.*/pkgs/)[^/]+/info\Z", re.DOTALL)
_TEMPORARY = ("/tmp/", "/var/tmp/")  # noqa: S108  names in a target
_FOLDER = itemgetter(0)


class Finder:
    """The paths of a scan by what their patterns end in.

    One is shared by all collectors of a capture, and asked when the scan knows every path.  All
    names are looked through once for the patterns that are `expected`, and once more for each kind
    of pattern that is not.  What lies in a folder for temporary files, or in a cache of unpacked
    conda packages, is no part of an environment and is not found.
    """

    def __init__(self, index: Index, expected: Iterable[str] = ()) -> None:
        self._index = index
        self._expected = {Tail.of(pattern) for pattern in expected} - {Tail()}
        self._ended: defaultdict[Tail, list[str]] = defaultdict(list)
        self._folders: list[tuple[str, list[str]]] = []
        self._picked: dict[object, list[str]] = {}

    def find(self, patterns: Iterable[str]) -> list[str]:
        """Return the paths that match any pattern, in byte order."""
        found: set[str] = set()
        for pattern in patterns:
            match = compile_globs((pattern,)).match
            found.update(path for path in self._candidates(Tail.of(pattern)) if match(path))
        return sorted(found, key=sort_key)

    def pick(self, wanted: Callable[[str, int], bool]) -> list[str]:
        """Return the paths of the files that are wanted (see `Index.files`), found once for all."""
        if wanted not in self._picked:
            self._picked[wanted] = list(self._index.files(wanted))
        return self._picked[wanted]

    def below(self, folders: Iterable[str]) -> Iterator[str]:
        """Yield the paths that begin with one of the folders, which end in a slash."""
        every = self._sorted()
        for prefix in folders:
            folder = prefix[:-1]
            # Between a folder and what is below it others are sorted in, such as "folder-2".
            start = bisect_left(every, folder, key=_FOLDER)
            for path, names in every[start : bisect_left(every, f"{folder}0", key=_FOLDER)]:
                if path == folder or path.startswith(prefix):
                    for name in names:
                        yield f"{path}/{name}"

    def _candidates(self, tail: Tail) -> list[str]:
        if tail not in self._ended:
            self._look_for({tail, *self._expected})
            self._expected = set()
        return self._ended[tail]

    def _look_for(self, tails: Iterable[Tail]) -> None:
        of_name = {tail.name: self._ended[tail] for tail in tails if tail.name}
        of_extension = {tail.extension: self._ended[tail] for tail in tails if tail.extension}
        of_any = [self._ended[tail] for tail in tails if tail == Tail()]
        ends = tuple(f".{extension}" for extension in of_extension)
        elsewhere = (*_TEMPORARY, *self._caches())
        for folder, names in self._sorted():
            if f"{folder}/".startswith(elsewhere):
                continue
            for name in of_name.keys() & names:
                of_name[name].append(f"{folder}/{name}")
            for name in names:
                if name.endswith(ends):
                    of_extension[name[name.rfind(".") + 1 :]].append(f"{folder}/{name}")
            for paths in of_any:
                paths += [f"{folder}/{name}" for name in names]

    def _sorted(self) -> list[tuple[str, list[str]]]:
        if not self._folders:
            self._folders = sorted(self._index.by_folder(), key=_FOLDER)
        return self._folders

    def _caches(self) -> list[str]:
        """Return the caches of unpacked conda packages, with a final slash."""
        found = set()
        for path, names in self._sorted():
            match = _UNPACKED.match(path) if path.endswith("/info") else None
            if match and "index.json" in names:
                found.add(match[1])
        return sorted(found)
