"""What the parts of a planner look at, and the draft that they write to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from envlock.apply.gap import Auto, Difference, State
from envlock.apply.place import Place
from envlock.apply.plan import Archive, Step
from envlock.apply.programs import Machine
from envlock.apply.rules import CAUTIONS, caution_of
from envlock.model.lock import Lock
from envlock.model.tree import Row, Tree

KINDS = tuple(sorted({row.kind for row in CAUTIONS if row.kind}))
"""What ``--allow`` permits beside ``no-undo``."""
NO_UNDO = "no-undo"


class Supplies(Protocol):
    """Brings packages and contents from the store, directories and mirrors."""

    def packages(self, keys: Collection[str], *, old: bool) -> Mapping[str, Archive]:
        """Return the files of packages by key; with `old` those that the machine has now.

        Those that cannot be had are left out.
        """

    def lacking(self, rows: Sequence[Row]) -> Mapping[str, str]:
        """Bring contents to the store; return path -> why a content cannot be had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a plan shall do.

    `only` and `skip` are sections.  `remove`: also remove what only the machine has.  `allow` are
    words of `KINDS`.
    """

    only: frozenset[str] = frozenset()
    skip: frozenset[str] = frozenset()
    remove: bool = False
    allow: frozenset[str] = frozenset()

    def obstacle(self, found: Difference) -> str:
        """Return why a difference must not be removed, empty if it may be."""
        if found.state is State.UNKNOWN:
            return f"it could not be read: {found.why}"
        if found.section in self.skip or (self.only and found.section not in self.only):
            return "left out by --only or --skip"
        is_removal = found.state is State.EXTRA and not found.field
        row = caution_of(found)
        if is_removal and not self.remove:
            return "only this machine has it; --remove removes it"
        if row is None or not _is_never(found) or row.kind in self.allow:
            return ""
        return f"{row.why}; --allow {row.kind} does it all the same" if row.kind else row.why


def _is_never(found: Difference) -> bool:
    row = caution_of(found)
    return row is not None and row.auto is Auto.NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What planners look at.

    `found` are the differences that may be removed, those that follow from others included.
    """

    found: tuple[Difference, ...]
    choice: Choice
    wanted: Lock
    present: Lock
    wanted_rows: Mapping[str, Row]
    present_rows: Mapping[str, Row]
    place: Place
    machine: Machine
    supplies: Supplies


@dataclass(slots=True)
class Draft:
    """Steps as they are found, and the differences that have none, with the reason."""

    steps: list[Step] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)

    def leave(self, found: Iterable[Difference], why: str) -> None:
        """Say why differences have no step."""
        for each in found:
            self.left.setdefault(each.id, why)

    @property
    def covered(self) -> frozenset[str]:
        """The differences that have a step or a reason."""
        return frozenset(self.left) | {gap for step in self.steps for gap in step.gaps}


def rows_of(tree: Tree | None) -> Mapping[str, Row]:
    """Return the rows of a tree by path, none without a tree."""
    return {row.entry.path: row for row in tree.rows} if tree else {}
