"""File rules, and a table that finds the rule for one of 300,000 paths quickly.

Trying every pattern on every path would take longer than reading the names of all files.  So
patterns are indexed by how the paths they match begin, by the last name or its extension, and by
the directory names they contain.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from envlock.model.deciding import Kind
from envlock.model.glob import LateGlobs, Tail
from envlock.model.tree import FileClass

_WILD = re.compile(r"[*?]")
_INSIDE = re.compile(r"/?\*\*/([^*?/]+)/\*\*\Z")
_ANYWHERE = ("**/", "/**/")


class FileRule(NamedTuple):
    """A rule: the paths it matches, the class it gives them, and the reason.

    It applies to paths without an owner; with `even_if_owned` to packaged ones too.  What is of one
    of the kinds in `keeps` stays significant.
    """

    id: str
    globs: tuple[str, ...]
    file_class: FileClass
    reason: str
    even_if_owned: bool = False
    keeps: Kind = Kind.NOTHING


class _Candidate(NamedTuple):
    """Patterns of one rule that share an index key, as one expression."""

    number: int
    globs: LateGlobs


Candidates = tuple[_Candidate, ...]


class _Folder(NamedTuple):
    """What all paths directly in one directory share.

    `best` is the first rule that matches by a name in the directory's path, `above` and `below` are
    the candidates for its first one and its first two path components.
    """

    path: str
    best: int
    above: Candidates
    below: Candidates


class RuleTable:
    """Rules in order; the first that matches a path wins."""

    def __init__(self, rules: Iterable[FileRule]) -> None:
        self._rules = tuple(rules)
        globs = [(number, glob) for number, rule in enumerate(self._rules) for glob in rule.globs]
        inside: dict[str, int] = {}
        prefixes: dict[str, list[tuple[int, str]]] = {}
        tails: dict[Tail, list[tuple[int, str]]] = {}
        for number, glob in globs:
            nested = _INSIDE.match(glob)
            if nested is not None:
                inside.setdefault(nested[1], number)
            elif glob.startswith(_ANYWHERE):
                tails.setdefault(Tail.of(glob), []).append((number, glob))
            else:
                prefixes.setdefault(_prefix(glob), []).append((number, glob))
        names = sorted(inside, key=inside.__getitem__)
        self._inside = inside
        self._nested = re.compile("/(" + "|".join(map(re.escape, names)) + ")(?=/.)", re.DOTALL)
        self._by_name = _candidates({t.name: found for t, found in tails.items() if t.name})
        self._by_extension = _candidates({t.extension: f for t, f in tails.items() if t.extension})
        self._always = _candidates({"": [*tails.get(Tail(), ()), *prefixes.pop("", ())]})[""]
        self._by_prefix = _candidates(prefixes)
        self._last = self._in("")

    def find(self, path: str) -> FileRule | None:
        """Return the first rule that matches `path`, or None."""
        folder, _, name = path.rpartition("/")
        if folder != self._last.path:
            self._last = self._in(folder)
        _, best, above, below = self._last
        none = len(self._rules)
        for candidates in (
            above,
            below,
            self._by_prefix.get(path),
            self._by_name.get(name),
            self._by_extension.get(name[name.rfind(".") + 1 :]) if "." in name else None,
            self._always,
        ):
            for number, globs in candidates or ():
                if number >= best:
                    break
                if globs.match(path):
                    best = number
                    break
        return self._rules[best] if best < none else None

    def _in(self, folder: str) -> _Folder:
        first = folder.find("/", 1)
        second = folder.find("/", first + 1) if first > 0 else -1
        nested = self._nested.findall(f"{folder}/.") if self._inside else ()
        best = min((self._inside[name] for name in nested), default=len(self._rules))
        above = self._by_prefix.get(folder[:first] if first > 0 else folder, ())
        below = (
            self._by_prefix.get(folder[:second] if second > 0 else folder, ()) if first > 0 else ()
        )
        return _Folder(folder, best, above, below)


def _prefix(glob: str) -> str:
    """Return the first components, at most two, of every path that a pattern matches."""
    wild = _WILD.search(glob)
    folders = glob[: wild.start() if wild else None].split("/")[:-1]
    if len(folders) > 1:
        return "/".join(folders[:3])
    return "" if wild else glob


def _candidates(groups: Mapping[str, Iterable[tuple[int, str]]]) -> dict[str, Candidates]:
    found = {}
    for key, globs in groups.items():
        by_rule: dict[int, list[str]] = {}
        for number, glob in globs:
            by_rule.setdefault(number, []).append(glob)
        found[key] = tuple(
            _Candidate(number, LateGlobs(tuple(by_rule[number]))) for number in sorted(by_rule)
        )
    return found
