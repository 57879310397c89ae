"""What the user asked to see: sections, and rules of what to ignore."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from envlock.diff.drift import Delta
from envlock.errors import UsageError
from envlock.model.glob import compile_globs

SETTING = "content:"
"""What the field of a place inside a changed file starts with."""


def is_selected(section: str, wanted: frozenset[str]) -> bool:
    """True when `wanted` is empty or names the section or its family (``host``)."""
    return not wanted or section in wanted or any(section.startswith(f"{w}.") for w in wanted)


class IgnoreRules:
    """Rules ``SECTION[:KEY[:FIELD]]`` together; each part a glob, `*` stays within a name."""

    def __init__(self, rules: Iterable[str]) -> None:
        """Raise UsageError for a rule without a section."""
        self._rules = [_parse(rule) for rule in rules]
        self._in_section: dict[str, _SectionRules] = {}

    def covers(self, delta: Delta) -> bool:
        """True when a rule is about this difference."""
        section = delta.section
        if section not in self._in_section:
            self._in_section[section] = _SectionRules(
                rule for rule in self._rules if compile_globs((rule.section,)).match(section)
            )
        return self._in_section[section].cover(delta)


class _IgnoreRule(NamedTuple):
    """One rule, its globs: what follows the section as a whole, and as a key and a field."""

    section: str
    rest: str
    key: str
    field: str


def _parse(text: str) -> _IgnoreRule:
    section, _, rest = text.partition(":")
    if not section:
        raise UsageError(
            f"not an ignore rule: {text!r}",
            hint="SECTION:KEY[:FIELD], for example file:/etc/motd or deb:*:mark",
        )
    rest = rest or "**"
    # A key may hold a colon itself (libc6:amd64), so the rest is tried whole as well.
    key, _, field = rest.rpartition(":")
    if f":{SETTING}" in rest:
        key, _, place = rest.partition(f":{SETTING}")
        field = SETTING + place
    return _IgnoreRule(section, rest, key, field.replace("*", "**"))


class _SectionRules:
    """The rules about one section; their keys are one pattern, for there may be many."""

    def __init__(self, rules: Iterable[_IgnoreRule]) -> None:
        every = tuple(rules)
        self._rest = compile_globs(tuple(rule.rest for rule in every))
        self._places = [
            (compile_globs((rule.key,)), compile_globs((rule.field,)), bool(rule.key))
            for rule in every
        ]

    def cover(self, delta: Delta) -> bool:
        if self._rest.match(delta.key):
            return True
        return any(
            key.match(delta.key) and field.match(delta.field)
            for key, field, has_key in self._places
            if has_key or not delta.key
        )


def drop(deltas: Iterable[Delta], covers: Callable[[Delta], bool]) -> tuple[list[Delta], int]:
    """Return the differences that `covers` says no to, and how many were dropped.

    With a package its files are dropped, and with the last setting of a file the file.
    """
    everything = list(deltas)
    kept = [delta for delta in everything if not covers(delta)]
    if len(kept) == len(everything):
        return everything, 0
    leading = _leading(everything)
    while gone := leading - _leading(kept):
        leading -= gone
        kept = [delta for delta in kept if delta.explained_by not in gone]
    had = {delta.explained_by for delta in everything if is_setting(delta)}
    still = {delta.explained_by for delta in kept if is_setting(delta)}
    kept = [d for d in kept if d.field != "sha256" or d.record not in had or d.record in still]
    return kept, len(everything) - len(kept)


def _leading(deltas: Iterable[Delta]) -> set[str]:
    """Return the records that differ in more than what they themselves explain."""
    return {delta.record for delta in deltas if delta.explained_by != delta.record}


def drop_ignored(deltas: Iterable[Delta], rules: Iterable[str]) -> tuple[list[Delta], int]:
    """Return what no rule ignores, and how many differences were dropped; see `drop`."""
    return drop(deltas, IgnoreRules(rules).covers)


def is_setting(delta: Delta) -> bool:
    """True for a place inside a changed file."""
    return delta.field.startswith(SETTING)
