"""Find paths of a scan by pattern without trying the pattern on each of them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from envlock.model.glob import Tail, compile_globs
from envlock.model.text import sort_key
from envlock.model.tree import Entry

_UNPACKED = re.compile(r".*/pkgs/(?=[^/]+/info/index\.json\Z)")
_TEMPORARY = ("/tmp/", "/var/tmp/")  # noqa: S108  names in a target


class Finder:
    """The paths of a scan by last name and by extension.

    One is shared by all collectors of a capture; the tables are made when first asked for, so the
    scan must know every path by then.  What lies in a folder for temporary files, or in a cache of
    unpacked conda packages, is no part of an environment and is not found.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._all = paths
        self._paths: list[str] = []
        self._named: defaultdict[str, list[str]] = defaultdict(list)
        self._extended: dict[str, list[str]] = {}
        self._ordered: list[str] = []
        self._picked: dict[object, list[str]] = {}

    def find(self, patterns: Iterable[str]) -> list[str]:
        """Return the paths that match any pattern, in byte order."""
        found: set[str] = set()
        for pattern in patterns:
            match = compile_globs((pattern,)).match
            found.update(path for path in self._candidates(Tail.of(pattern)) if match(path))
        return sorted(found, key=sort_key)

    def pick(
        self, index: Mapping[str, Entry], wanted: Callable[..., bool], given: tuple[object, ...]
    ) -> list[str]:
        """Return the paths of the entries for which `wanted` is true, found once for all."""
        key = wanted, given
        if key not in self._picked:
            self._picked[key] = [e.path for e in index.values() if wanted(e, *given)]
        return self._picked[key]

    def below(self, folders: Iterable[str]) -> Iterator[str]:
        """Yield the paths that begin with one of the folders, which end in a slash."""
        if not self._ordered:
            self._ordered = sorted(self._all)
        for folder in folders:
            start = bisect_left(self._ordered, folder)
            yield from self._ordered[start : bisect_left(self._ordered, f"{folder[:-1]}0")]

    def _candidates(self, tail: Tail) -> Iterable[str]:
        if not self._paths:
            self._sort()
        if tail.name:
            return self._named.get(tail.name, ())
        return self._extended.get(tail.extension, ()) if tail.extension else self._paths

    def _sort(self) -> None:
        records = [path for path in self._all if path.endswith("/info/index.json")]
        caches = {match[0] for path in records if (match := _UNPACKED.match(path))}
        elsewhere = (*_TEMPORARY, *sorted(caches))
        self._paths = [path for path in self._all if not path.startswith(elsewhere)]
        named = self._named
        for path in self._paths:
            named[path[path.rfind("/") + 1 :]].append(path)
        for name, paths in named.items():
            if "." in name:
                self._extended.setdefault(name[name.rfind(".") + 1 :], []).extend(paths)
