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
    """The paths of a scan by last name and by extension.

    One is shared by all collectors of a capture; the tables are made when first asked for, so the
    scan must know every path by then.  What lies in a folder for temporary files, or in a cache of
    unpacked conda packages, is no part of an environment and is not found.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._folders: list[tuple[str, list[str]]] = []
        self._named: defaultdict[str, list[str]] = defaultdict(list)
        self._extended: defaultdict[str, list[str]] = defaultdict(list)
        self._picked: dict[object, list[str]] = {}

    def find(self, patterns: Iterable[str]) -> list[str]:
        """Return the paths that match any pattern, in byte order."""
        found: set[str] = set()
        for pattern in patterns:
            match = compile_globs((pattern,)).match
            found.update(path for path in self._candidates(Tail.of(pattern)) if match(path))
        return sorted(found, key=sort_key)

    def pick(self, wanted: Callable[..., bool], given: tuple[object, ...]) -> list[str]:
        """Return the paths for which `wanted` is true, found once for all.

        It is called with a path, its type and its permission bits, and what is `given`.
        """
        key = wanted, given
        if key not in self._picked:
            self._picked[key] = [seen[0] for seen in self._index.seen() if wanted(*seen, *given)]
        return self._picked[key]

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

    def _candidates(self, tail: Tail) -> Iterator[str]:
        if not self._named:
            self._sort()
        if tail.name:
            names: Iterable[str] = (tail.name,) if tail.name in self._named else ()
        else:
            names = self._extended.get(tail.extension, ()) if tail.extension else self._named
        for name in names:
            for folder in self._named[name]:
                yield f"{folder}/{name}"

    def _sorted(self) -> list[tuple[str, list[str]]]:
        if not self._folders:
            self._folders = sorted(self._index.by_folder(), key=_FOLDER)
        return self._folders

    def _sort(self) -> None:
        caches = {
            match[1]
            for path, names in self._sorted()
            if (match := _UNPACKED.match(path)) and "index.json" in names
        }
        elsewhere = (*_TEMPORARY, *sorted(caches))
        named = self._named
        for path, names in self._sorted():
            if not f"{path}/".startswith(elsewhere):
                for name in names:
                    named[name].append(path)
        for name in named:
            if "." in name:
                self._extended[name[name.rfind(".") + 1 :]].append(name)
