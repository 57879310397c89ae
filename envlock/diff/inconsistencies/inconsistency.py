"""One inconsistency: a rule that a lock breaks, and the record that shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

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
    def next(self) -> str:
        """What to do about it."""
        name = self.key.rpartition("/")[2].partition(":")[0]
        environment = self.key.partition("/")[0]
        return INCONSISTENCY_RULES[self.rule].next.format(
            key=self.key, package=name, environment=environment
        )


Family = Callable[[Lock], Iterator[Inconsistency]]
"""Finds the inconsistencies of one kind in a lock."""
