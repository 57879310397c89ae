"""Find the rule that decides on a path of an image, among many."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import count
from typing import NamedTuple

from envlock.materialize.tree.rules import RULES, Rule
from envlock.model.glob import compile_globs
from envlock.model.tree import FileClass, Row

_BELOW = "/**"
_WILD = re.compile(r"[*?]")


class _Numbered(NamedTuple):
    """A rule and its place in the order of all."""

    number: int
    rule: Rule


class RuleBook:
    """The rules in force: the user's first, then the built-in ones.

    Rules that name their paths without wildcards are found by these: there are as many of them as
    there are data of services.
    """

    def __init__(self, user_rules: Iterable[Rule] = ()) -> None:
        self._by_class: dict[FileClass, list[tuple[_Numbered, re.Pattern[str]]]] = {
            kind: [] for kind in FileClass
        }
        self._exact: dict[str, list[_Numbered]] = {}
        self._below: dict[str, list[_Numbered]] = {}
        for numbered in map(_Numbered, count(), (*user_rules, *RULES)):
            self._add(numbered)

    def rule_for(self, row: Row) -> Rule | None:
        """Return the rule that decides on `row`, or None when the image contains it unchanged."""
        path, kind = row.entry.path, row.file_class
        named = [
            each
            for each in self._naming(path)
            if kind in each.rule.classes and each.rule.covers(row)
        ]
        first = min(named, key=lambda each: each.number, default=None)
        for each, matches in self._by_class[kind]:
            if first is not None and each.number > first.number:
                break
            if matches.match(path) and each.rule.covers(row):
                return each.rule
        return first.rule if first is not None else None

    def _add(self, numbered: _Numbered) -> None:
        rule = numbered.rule
        folders = [glob.removesuffix(_BELOW) for glob in rule.globs]
        if any(_WILD.search(folder) or not folder for folder in folders):
            matches = compile_globs(rule.globs)
            for kind in rule.classes:
                self._by_class[kind].append((numbered, matches))
            return
        for glob, folder in zip(rule.globs, folders, strict=True):
            place = self._below if glob.endswith(_BELOW) else self._exact
            place.setdefault(folder, []).append(numbered)

    def _naming(self, path: str) -> Iterator[_Numbered]:
        """Yield the rules that name a path or a folder that it is in."""
        yield from self._exact.get(path, ())
        folder = path.rpartition("/")[0]
        while folder:
            yield from self._below.get(folder, ())
            folder = folder.rpartition("/")[0]
