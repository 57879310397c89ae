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


class Ignore(NamedTuple):
    """One rule ``SECTION[:KEY[:FIELD]]``; each part a glob, `*` stays within a name."""

    section: Callable[[str], object]
    rest: Callable[[str], object]
    key: Callable[[str], object]
    field: Callable[[str], object]

    @classmethod
    def parse(cls, text: str) -> Ignore:
        """Return the rule in `text`.  Raise UsageError for one without a section."""
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
        globs = (section, rest, key, field.replace("*", "**"))
        return cls(*(compile_globs((glob,)).match for glob in globs))

    def covers(self, delta: Delta) -> bool:
        """True when the rule is about this difference."""
        if not self.section(delta.section):
            return False
        return bool(self.rest(delta.key) or (self.key(delta.key) and self.field(delta.field)))


def drop_ignored(deltas: Iterable[Delta], rules: Iterable[str]) -> tuple[list[Delta], int]:
    """Return what no rule ignores, and how many differences were dropped.

    With a package its files are dropped, and with the last setting of a file the file.
    """
    parsed = [Ignore.parse(rule) for rule in rules]
    everything = list(deltas)
    if not parsed:
        return everything, 0
    kept = [delta for delta in everything if not any(rule.covers(delta) for rule in parsed)]
    standing = {delta.record for delta in kept if not delta.explained_by}
    kept = [delta for delta in kept if not delta.explained_by or delta.explained_by in standing]
    had = {delta.explained_by for delta in everything if is_setting(delta)}
    still = {delta.explained_by for delta in kept if is_setting(delta)}
    kept = [d for d in kept if d.field != "sha256" or d.record not in had or d.record in still]
    return kept, len(everything) - len(kept)


def is_setting(delta: Delta) -> bool:
    """True for a place inside a changed file."""
    return delta.field.startswith(SETTING)
