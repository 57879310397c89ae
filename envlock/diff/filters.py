"""What the user asked to compare: selected sections and ignore rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from envlock.diff.drift import Delta
from envlock.errors import UsageError
from envlock.model.glob import compile_globs

SETTING = "content:"
"""Prefix of the field of a setting inside a changed file."""


def is_selected(section: str, wanted: frozenset[str]) -> bool:
    """True when `wanted` is empty or names the section or its group (``host``)."""
    return not wanted or section in wanted or any(section.startswith(f"{w}.") for w in wanted)


class IgnoreRules:
    """A set of ignore rules ``SECTION[:KEY[:FIELD]]``, in which each part is a glob."""

    def __init__(self, rules: Iterable[str]) -> None:
        """Parse the rules.  Raise UsageError for one without a section."""
        self._rules = [_parse(rule) for rule in rules]
        self._in_section: dict[str, _SectionRules] = {}

    def covers(self, delta: Delta) -> bool:
        """True when a rule matches this difference."""
        section = delta.section
        if section not in self._in_section:
            self._in_section[section] = _SectionRules(
                rule for rule in self._rules if compile_globs((rule.section,)).match(section)
            )
        return self._in_section[section].cover(delta)


class _IgnoreRule(NamedTuple):
    """The globs of one rule; `rest` is all that follows the section, also split at a colon."""

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
    # A key can contain a colon (libc6:amd64), so the rest is also matched as a whole.
    key, _, field = rest.rpartition(":")
    if f":{SETTING}" in rest:
        key, _, position = rest.partition(f":{SETTING}")
        field = SETTING + position
    return _IgnoreRule(section, rest, key, field.replace("*", "**"))


class _SectionRules:
    """The rules that match one section; one pattern for all keys, because there can be many."""

    def __init__(self, rules: Iterable[_IgnoreRule]) -> None:
        every = tuple(rules)
        self._rest = compile_globs(tuple(rule.rest for rule in every))
        self._parts = [
            (compile_globs((rule.key,)), compile_globs((rule.field,)), bool(rule.key))
            for rule in every
        ]

    def cover(self, delta: Delta) -> bool:
        if self._rest.match(delta.key):
            return True
        return any(
            key.match(delta.key) and field.match(delta.field)
            for key, field, has_key in self._parts
            if has_key or not delta.key
        )


def drop(deltas: Iterable[Delta], covers: Callable[[Delta], bool]) -> tuple[list[Delta], int]:
    """Return the differences that are not covered, and how many were dropped.

    With a package its files are dropped, and with the last setting of a file the file itself.
    """
    everything = list(deltas)
    kept = [delta for delta in everything if not covers(delta)]
    if len(kept) == len(everything):
        return everything, 0
    leading = _leading_records(everything)
    while gone := leading - _leading_records(kept):
        leading -= gone
        kept = [delta for delta in kept if delta.explained_by not in gone]
    before = {delta.explained_by for delta in everything if is_setting(delta)}
    after = {delta.explained_by for delta in kept if is_setting(delta)}
    kept = [d for d in kept if d.field != "sha256" or d.record not in before or d.record in after]
    return kept, len(everything) - len(kept)


def _leading_records(deltas: Iterable[Delta]) -> set[str]:
    """Return the records with a difference that they do not explain themselves."""
    return {delta.record for delta in deltas if delta.explained_by != delta.record}


def drop_ignored(deltas: Iterable[Delta], rules: Iterable[str]) -> tuple[list[Delta], int]:
    """Return the differences that no rule ignores, and how many were dropped; see `drop`."""
    return drop(deltas, IgnoreRules(rules).covers)


def is_setting(delta: Delta) -> bool:
    """True for a setting inside a changed file."""
    return delta.field.startswith(SETTING)
