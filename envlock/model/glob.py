"""Path patterns (globs): `*` and `?` match within a name, `**` matches across names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

_TOKEN = re.compile(r"(\*\*/|\*\*|\*|\?)")


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


class LateGlobs:
    """Globs that are compiled when they are first asked: most of a large table never are."""

    __slots__ = ("_patterns", "match")

    def __init__(self, patterns: tuple[str, ...]) -> None:
        self._patterns = patterns
        self.match: Callable[[str], object] = self._first_match
        """Return what is true when one of the globs matches a path, else None."""

    def _first_match(self, path: str) -> object:
        self.match = compile_globs(self._patterns).match
        return self.match(path)


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
    tokens = [token for token in _TOKEN.split(pattern) if token]
    if _is_simple(tokens):
        return "".join(map(_plain, tokens)) + r"\Z"
    return linear(tokens)


def _plain(token: str) -> str:
    found = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(token)
    return re.escape(token) if found is None else found


def _is_simple(tokens: Sequence[str]) -> bool:
    """True when no two wildcards compete for the same characters."""
    floating = [token for token in tokens[:-1] if token.startswith("**")]
    in_name = longest = 0
    for token in tokens:
        in_name = in_name + 1 if token == "*" else 0 if "/" in token else in_name
        longest = max(longest, in_name)
    return len(floating) <= 1 and longest <= 1 and not ("**" in floating and longest)


def linear(tokens: Sequence[str]) -> str:
    """Return a regular expression for a glob of many wildcards that never tries one twice.

    A piece of text that follows a wildcard is taken where it first occurs, which leaves most for
    what follows; only what stands behind the last wildcard is bound to the end.  This is not so
    where ``**/`` follows text that does not end in a slash, since ``**/`` may stand for nothing;
    such a glob is matched by trying.
    """
    blocks: list[list[str]] = [[]]
    stars: list[str] = []
    for token in _merged(tokens):
        if token.startswith("**"):
            stars.append(token)
            blocks.append([])
        else:
            blocks[-1].append(token)
    joined = zip(blocks, stars, strict=False)
    if any(block and star == "**/" and not block[-1].endswith("/") for block, star in joined):
        return "".join(map(_plain, tokens)) + r"\Z"
    *middle, last = zip(["", *stars], blocks, strict=True)
    out = [_floating(star, _first(block)) for star, block in middle]
    return "".join(out) + _ending(*last)


def _merged(tokens: Sequence[str]) -> list[str]:
    """Return the tokens with one wildcard in place of several that follow each other."""
    found: list[str] = []
    for token in tokens:
        before = found[-1] if found else ""
        wild = _TOKEN.fullmatch(token) and _TOKEN.fullmatch(before) and "?" not in token + before
        if wild and "**" in (token, before):
            found[-1] = "**"
        elif not (wild and token == before):
            found.append(token)
    return found


def _floating(star: str, block: str) -> str:
    """Return the expression of a block that may begin as far behind as its wildcard allows."""
    before = {"": "", "**": ".*?", "**/": "(?:.*?/)??"}[star]
    return f"(?>{before}{block})"


def _first(block: Sequence[str]) -> str:
    """Return the expression of a block, each piece where it first occurs."""
    head, *pieces = _pieces(block)
    found = [f"(?>[^/]*?{piece})" if piece else "[^/]*" for piece in pieces]
    return head + "".join(found)


def _ending(star: str, block: Sequence[str]) -> str:
    """Return the expression of the last block, which ends where the path ends."""
    if star and not block:
        return _plain(star) + r"\Z"
    slashes = sum(token.count("/") for token in block)
    head, *pieces = _pieces(["*", *block] if star == "**" else block)
    before = f"(?:.*/)?(?=[^/]*(?:/[^/]*){{{slashes}}}\\Z)" if star else ""
    found = [f"(?>[^/]*?{piece})" for piece in pieces[:-1]]
    tail = f"[^/]*{pieces[-1]}" if pieces else ""
    return f"{before}{head}{''.join(found)}{tail}\\Z"


def _pieces(block: Sequence[str]) -> list[str]:
    """Return the expressions of what stands before, between and behind the single stars."""
    pieces = [""]
    for token in block:
        if token == "*":
            pieces.append("")
        else:
            pieces[-1] += _plain(token)
    return pieces


def _either(globs: tuple[str, ...], but_not: tuple[str, ...], always: tuple[str, ...]) -> str:
    found = compile_globs(globs).pattern
    if but_not:
        found = f"(?!{compile_globs(but_not).pattern})(?:{found})"
    return f"{found}|{compile_globs(always).pattern}" if always else found


def _is_tree(glob: str) -> bool:
    return glob.endswith("/**")


_WILD = re.compile(r"[*?]")

EVERYTHING = GlobSet(("/**",))
