"""What a rule about a file's class is, and how the rule for one of 300,000 paths is found quickly.

Trying every pattern on every path would take longer than reading the names of all files: a
pattern is only tried on paths that begin, end, or are nested as it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from envlock.model.glob import Tail, compile_globs
from envlock.model.tree import FileClass

_WILD = re.compile(r"[*?]")
_INSIDE = re.compile(r"/?\*\*/([^*?/]+)/\*\*\Z")
_ANYWHERE = ("**/", "/**/")


class FileRule(NamedTuple):
    """A rule: its id, the paths it covers, the class it gives and why."""

    id: str
    globs: tuple[str, ...]
    file_class: FileClass
    reason: str
    even_if_owned: bool = False


class _Try(NamedTuple):
    """The patterns of one rule that are to be tried on the paths of one kind."""

    number: int
    match: re.Pattern[str]


Tries = tuple[_Try, ...]


class _Folder(NamedTuple):
    """What is the same for all paths directly in a folder: the first rule for what is in a folder
    of that name, and what to try because of its first folder or its first two.
    """  # noqa: D205

    path: str
    best: int
    above: Tries
    below: Tries


class RuleTable:
    """Rules in their order, the first that matches wins."""

    def __init__(self, rules: Iterable[FileRule]) -> None:
        self._rules = tuple(rules)
        globs = [(number, glob) for number, rule in enumerate(self._rules) for glob in rule.globs]
        inside: dict[str, int] = {}
        places: dict[str, list[tuple[int, str]]] = {}
        tails: dict[Tail, list[tuple[int, str]]] = {}
        for number, glob in globs:
            nested = _INSIDE.match(glob)
            if nested is not None:
                inside.setdefault(nested[1], number)
            elif glob.startswith(_ANYWHERE):
                tails.setdefault(Tail.of(glob), []).append((number, glob))
            else:
                places.setdefault(_place(glob), []).append((number, glob))
        names = sorted(inside, key=inside.__getitem__)
        self._inside = inside
        self._nested = re.compile("/(" + "|".join(map(re.escape, names)) + ")(?=/.)", re.DOTALL)
        self._names = _tries({t.name: found for t, found in tails.items() if t.name})
        self._extensions = _tries({t.extension: f for t, f in tails.items() if t.extension})
        self._always = _tries({"": [*tails.get(Tail(), ()), *places.pop("", ())]})[""]
        self._places = _tries(places)
        self._last = self._in("")

    def find(self, path: str) -> FileRule | None:
        """Return the rule that explains `path`, or None."""
        folder, _, name = path.rpartition("/")
        if folder != self._last.path:
            self._last = self._in(folder)
        _, best, above, below = self._last
        none = len(self._rules)
        for tries in (
            above,
            below,
            self._places.get(path),
            self._names.get(name),
            self._extensions.get(name[name.rfind(".") + 1 :]) if "." in name else None,
            self._always,
        ):
            for number, match in tries or ():
                if number >= best:
                    break
                if match.match(path):
                    best = number
                    break
        return self._rules[best] if best < none else None

    def _in(self, folder: str) -> _Folder:
        first = folder.find("/", 1)
        second = folder.find("/", first + 1) if first > 0 else -1
        nested = self._nested.findall(f"{folder}/.") if self._inside else ()
        best = min((self._inside[name] for name in nested), default=len(self._rules))
        above = self._places.get(folder[:first] if first > 0 else folder, ())
        below = self._places.get(folder[:second] if second > 0 else folder, ()) if first > 0 else ()
        return _Folder(folder, best, above, below)


def _place(glob: str) -> str:
    """Return the first folders of every path that a pattern matches, at most two."""
    wild = _WILD.search(glob)
    folders = glob[: wild.start() if wild else None].split("/")[:-1]
    if len(folders) > 1:
        return "/".join(folders[:3])
    return "" if wild else glob


def _tries(groups: Mapping[str, Iterable[tuple[int, str]]]) -> dict[str, Tries]:
    found = {}
    for key, globs in groups.items():
        by_rule: dict[int, list[str]] = {}
        for number, glob in globs:
            by_rule.setdefault(number, []).append(glob)
        found[key] = tuple(
            _Try(number, compile_globs(tuple(by_rule[number]))) for number in sorted(by_rule)
        )
    return found
