"""One inconsistency: a rule that a lock breaks, and the record that shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from envlock.diff.drift import ChangeKind, Command, Delta
from envlock.diff.fixes.commands import Surroundings
from envlock.diff.rules.inconsistencies import INCONSISTENCY_RULES
from envlock.model.lock import Lock
from envlock.model.severity import Severity


class Inconsistency(NamedTuple):
    """One inconsistency: its rule, the record it is about, and a message with the values.

    `field` is the fact that shows it, empty for the record as a whole.
    """

    rule: str
    section: str
    key: str
    message: str
    field: str = ""

    @property
    def record(self) -> str:
        """The record that it is about."""
        return f"{self.section} {self.key}"

    @property
    def severity(self) -> Severity:
        """The severity of its rule."""
        return INCONSISTENCY_RULES[self.rule].severity

    @property
    def fix(self) -> tuple[Command, ...]:
        """The commands that mend it, none where no command does."""
        rule = INCONSISTENCY_RULES[self.rule]
        delta = Delta(self.section, self.key, self.field, ChangeKind.ADDED, None, None, {})
        return rule.fix(delta, Surroundings()) if rule.fix is not None else ()

    @property
    def next(self) -> str:
        """What to do about it, in a sentence."""
        name = self.key.rpartition("/")[2].partition(":")[0]
        environment = self.key.partition("/")[0]
        return INCONSISTENCY_RULES[self.rule].next.format(
            key=self.key, package=name, environment=environment
        )


Family = Callable[[Lock], Iterator[Inconsistency]]
"""Finds the inconsistencies of one kind in a lock."""
