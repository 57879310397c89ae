"""Path patterns (globs): `*` and `?` match within a name, `**` matches across names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple


class Tail(NamedTuple):
    """The last name, or its extension, that all paths matching a pattern have; empty for any.

    A table of tails decides for most paths without matching the pattern itself.
    """

    name: str = ""
    extension: str = ""

    @classmethod
    def of(cls, pattern: str) -> Tail:
        """Return the tail of one pattern.

        >>> Tail.of("**/conda-meta/*.json")
        Tail(name='', extension='json')
        """
        last = pattern.rpartition("/")[2]
        if not _WILD.search(last):
            return cls(name=last)
        extension = last.rpartition(".")[2] if "." in last else ""
        return cls(extension="" if _WILD.search(extension) else extension)


class GlobSet:
    """A set of globs that matches single paths, or all paths in a directory at once.

    A path below one of the directories `but_not` (``**/name/**``) matches only if a glob in
    `always` matches it.
    """

    def __init__(
        self, globs: Iterable[str], but_not: Iterable[str] = (), always: Iterable[str] = ()
    ) -> None:
        every, spared, kept = tuple(globs), tuple(but_not), tuple(always)
        trees, kept_trees = filter(_is_tree, every), filter(_is_tree, kept)
        self.plain = (
            _either(tuple(trees), spared, tuple(kept_trees)),
            _either(every, spared, kept),
            all(map(_is_tree, (*every, *kept))),
        )
        """Two regular expressions and a flag, for a process that has no globs: directories of which
        every path matches, paths that match, and whether the first alone decides."""
        in_folder, of_path, self._is_by_folder = self.plain
        self._holds = re.compile(in_folder, re.DOTALL).match
        self._match = re.compile(of_path, re.DOTALL).match

    def __call__(self, path: str) -> bool:
        """True when a glob matches the path."""
        return self._match(path) is not None

    def all_in(self, folder: str) -> bool | None:
        """Return whether everything directly in a directory matches, None if that depends."""
        if self._holds(f"{folder}/."):
            return True
        return False if self._is_by_folder else None


def literal_folder(pattern: str) -> str:
    """Return the directory that holds every path that a pattern matches, empty for any.

    >>> literal_folder("/opt/app/*/bin/*")
    '/opt/app'
    """
    wild = _WILD.search(pattern)
    return (pattern[: wild.start()] if wild else pattern).rpartition("/")[0]


def matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Return a fast function that is true for paths that match any of many patterns."""
    by_tail: dict[Tail, list[str]] = {}
    for pattern in patterns:
        by_tail.setdefault(Tail.of(pattern), []).append(pattern)
    match_of = {tail: compile_globs(tuple(group)).match for tail, group in by_tail.items()}
    of_name = {tail.name: match for tail, match in match_of.items() if tail.name}
    of_extension = {tail.extension: match for tail, match in match_of.items() if tail.extension}
    of_any = match_of.get(Tail())

    def matches(path: str) -> bool:
        name = path.rpartition("/")[2]
        found = of_name.get(name)
        if found is not None and found(path):
            return True
        found = of_extension.get(name.rpartition(".")[2]) if "." in name else None
        if found is not None and found(path):
            return True
        return of_any is not None and of_any(path) is not None

    return matches


@lru_cache(maxsize=256)
def compile_globs(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """Return one regular expression that matches what any of the globs matches."""
    if not patterns:
        return re.compile(r"(?!)")
    return re.compile("|".join(f"(?:{_glob(pattern)})" for pattern in patterns), re.DOTALL)


def _glob(pattern: str) -> str:
    out = []
    for token in re.split(r"(\*\*/|\*\*|\*|\?)", pattern):
        match token:
            case "**/":
                out.append("(?:.*/)?")
            case "**":
                out.append(".*")
            case "*":
                out.append("[^/]*")
            case "?":
                out.append("[^/]")
            case _:
                out.append(re.escape(token))
    return "".join(out) + r"\Z"


def _either(globs: tuple[str, ...], but_not: tuple[str, ...], always: tuple[str, ...]) -> str:
    found = compile_globs(globs).pattern
    if but_not:
        found = f"(?!{compile_globs(but_not).pattern})(?:{found})"
    return f"{found}|{compile_globs(always).pattern}" if always else found


def _is_tree(glob: str) -> bool:
    return glob.endswith("/**")


_WILD = re.compile(r"[*?]")

EVERYTHING = GlobSet(("/**",))
