"""Names by role: what an application calls its own is named alike on every machine.

A Python environment is ``shop`` in one lock and ``opt-app`` in another, and its files lie below
other directories.  Named by the role, ``python app/requests`` and ``/{app}/bin/serve``, they can be
compared, and digests over them can be equal.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from envlock.model.facts import Family, Kind, kind_of, packages_of
from envlock.model.lock import Lock, Section
from envlock.model.record import Facts
from envlock.model.scope import Role, RootKind
from envlock.model.text import sort_key
from envlock.model.tree import Row, Tree

_ENVIRONMENTS = packages_of(Family.PYTHON, Family.LANGUAGE)
"""Sections with a record NAME for an environment and NAME/PACKAGE for each package in it."""
_JAVA = "java"
_PYTHON = "python"
"""The section in which an environment without packages is one all the same."""
BY_PATH = ("file", "software", "missing-library", "missing-symbol")
"""Sections whose keys are paths, or begin with one."""
AT_LOCATION = ("blas", "cuda", "rocm")
"""Sections with keys KIND:LOCATION, where an environment is a location: ``cudart:app/torch``."""
OWNERS = ("packaged-by", "owned-by")
"""Facts that name the record to which another one belongs."""
_SHARED = ("", "/", "/usr", "/usr/local", "/opt", "/home", "/root", "/srv", "/var", "/etc")
"""Directories that are never an application's own."""


class Place(NamedTuple):
    """A directory of an application and the name that it has by role: ``/srv/app``, ``/{app}``."""

    path: str
    name: str


class Names(NamedTuple):
    """The keys of one lock by role.

    `keys` maps section -> key of an environment, or of a single record -> name by role.  `places`
    are directories of which every path is renamed.
    """

    keys: Mapping[str, Mapping[str, str]]
    places: tuple[Place, ...] = ()

    def key(self, section: str, key: str) -> str:
        """Return the name by role of a record, its own key where it has none."""
        known = self.keys.get(section)
        if known:
            environment, slash, rest = key.partition("/")
            if section in _ENVIRONMENTS and environment in known:
                return f"{known[environment]}{slash}{rest}"
            if key in known:
                return known[key]
        if section in AT_LOCATION:
            return self._at_location(key)
        return self.path(key) if self.places and section in BY_PATH else key

    def _at_location(self, key: str) -> str:
        kind, colon, location = key.partition(":")
        for section in self.keys:
            new = self.key(section, location)
            if section in _ENVIRONMENTS and new != location:
                return f"{kind}{colon}{new}"
        return key

    def path(self, path: str) -> str:
        """Return a path, or a text that begins with one, by the directory that it is below."""
        for place, name in self.places:
            if path.startswith(place) and path[len(place) : len(place) + 1] in ("", "/", " ", ":"):
                return name + path[len(place) :]
        return path

    def owner(self, owner: str) -> str:
        """Return a record as `explained_by` names it: ``python app/numpy``."""
        section, space, key = owner.partition(" ")
        return f"{section}{space}{self.key(section, key)}"


def own_environments(role: Role) -> Iterator[tuple[str, str]]:
    """Yield section and name of each environment that is the application's own.

    Of each section it is the one that the root itself leads to, then the one of which the
    application has most packages, then the first by name.
    """
    packages: Counter[tuple[str, str]] = Counter()
    found: dict[str, list[tuple[bool, str]]] = {}
    for member in role.members:
        if member.section not in _ENVIRONMENTS:
            continue
        name, slash, _ = member.key.partition("/")
        if slash:
            packages[member.section, name] += 1
        else:
            is_first = member.via.partition(" → ")[0] == role.name
            found.setdefault(member.section, []).append((not is_first, name))
    for section, names in found.items():
        candidates = [c for c in names if section == _PYTHON or packages[section, c[1]]]
        if not candidates:
            continue
        best = min(candidates, key=lambda c: (c[0], -packages[section, c[1]], sort_key(c[1])))
        yield section, best[1]


def names_of(lock: Lock, role: Role) -> Names:
    """Return the names by role of what is the application's own."""
    keys: dict[str, dict[str, str]] = {}
    places = []
    for section, name in own_environments(role):
        keys.setdefault(section, {})[name] = role.name
        path = lock.get(section, name).get("path", "").rstrip("/")
        if path not in _SHARED:
            places.append(Place(path, _place(role.name)))
        others = sorted({*_environments(role, section)} - {name})
        if len(others) == 1:  # the interpreter that an environment is made from
            keys[section][others[0]] = f"{role.name}-base"
    for key, name in _archives(role):
        keys.setdefault(_JAVA, {})[key] = name
    if role.root.kind is RootKind.EXE:
        for member in role.members:
            if member.via == role.name and member.section in BY_PATH:
                program = member.key.rpartition("/")[2]
                keys.setdefault(member.section, {})[member.key] = f"{_place(role.name)}/{program}"
    return Names(keys, tuple(places))


def _archives(role: Role) -> Iterator[tuple[str, str]]:
    """Yield the keys of the application's Java archives, which begin with a directory, by role.

    Two of the same name in different directories keep their keys.
    """
    keys = [member.key for member in role.members if member.section == _JAVA]
    named = [(key, key.partition("/")[2]) for key in keys if "/" in key]
    count = Counter(name for _, name in named)
    return ((key, f"{role.name}/{name}") for key, name in named if count[name] == 1)


def _place(role: str) -> str:
    return f"/{{{role}}}"


def _environments(role: Role, section: str) -> Iterator[str]:
    for member in role.members:
        if member.section == section and "/" not in member.key:
            yield member.key


def joined(several: Iterable[Names]) -> Names:
    """Return the names of several roles together; what two of them share has that of the first."""
    keys: dict[str, dict[str, str]] = {}
    places: dict[str, str] = {}
    for names in several:
        for section, known in names.keys.items():
            for key, name in known.items():
                keys.setdefault(section, {}).setdefault(key, name)
        for place in names.places:
            places.setdefault(*place)
    longest = sorted(places.items(), key=lambda item: (-len(item[0]), item[0]))
    return Names(keys, tuple(Place(*item) for item in longest))


def differing(several: Sequence[Names]) -> list[Names]:
    """Return the names of several locks without those that the records have in all of them anyway.

    What all call the same keeps its key, and with it the ids of its differences.
    """
    keys = [
        {
            (section, key, name)
            for section, known in names.keys.items()
            for key, name in known.items()
        }
        for names in several
    ]
    same = set.intersection(*keys)
    places = set.intersection(*(set(names.places) for names in several))
    return [
        Names(
            {
                section: kept
                for section, known in names.keys.items()
                if (kept := {k: n for k, n in known.items() if (section, k, n) not in same})
            },
            tuple(place for place in names.places if place not in places),
        )
        for names in several
    ]


def renamed(lock: Lock, names: Names) -> Lock:
    """Return a lock with names by role; a record whose new name is taken keeps its own."""
    if not names.keys and not names.places:
        return lock
    rename = _Values(names)
    sections = {
        section: _section(section, entries, names, rename)
        for section, entries in lock.sections.items()
    }
    return Lock(sections=sections, coverage=lock.coverage, version=lock.version)


def _section(section: str, entries: Section, names: Names, rename: _Values) -> Section:
    found: dict[str, Facts] = {}
    for key, facts in entries.items():
        new = names.key(section, key)
        is_taken = new != key and new in entries and names.key(section, new) == new
        found[key if is_taken else new] = rename.facts(section, facts)
    return found


class _Values:
    """Replaces the directories of applications in the values of facts."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._places = names.places
        self._patterns = [
            (re.compile(rf"(?<![\w./-]){re.escape(path)}(?![\w.-])"), name)
            for path, name in names.places
        ]

    def facts(self, section: str, facts: Facts) -> Facts:
        """Return the facts with names by role, the same object where nothing changes."""
        changed = {
            name: new for name, value in facts.items() if (new := self._new(section, name, value))
        }
        return {**facts, **changed} if changed else facts

    def _new(self, section: str, fact: str, value: str) -> str:
        """Return the new value of a fact, empty where it stays as it is."""
        if fact in OWNERS:
            new = self._names.owner(value)
        elif any(place.path in value for place in self._places) and (
            kind_of(section, fact) is Kind.TEXT
        ):
            new = value
            for pattern, name in self._patterns:
                new = pattern.sub(lambda _, name=name: name, new)  # type: ignore[misc]
        else:
            return ""
        return new if new != value else ""


def renamed_tree(tree: Tree | None, names: Names) -> Tree | None:
    """Return a file tree with names by role."""
    if tree is None or (not names.keys and not names.places):
        return tree
    return Tree.of(_row(row, names) for row in tree.rows)


def _row(row: Row, names: Names) -> Row:
    entry = row.entry
    path, target = names.path(entry.path), names.path(entry.target)
    owner = names.owner(row.owner) if row.owner else ""
    if (path, target, owner) == (entry.path, entry.target, row.owner):
        return row
    return row._replace(entry=entry._replace(path=path, target=target), owner=owner)
