"""Compare two environments with their common base, to find which side changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from envlock.diff.drift import Change, ChangeKind, DriftReport, MovedSide
from envlock.diff.files import SECTION as FILE
from envlock.diff.files import facts_of
from envlock.diff.filters import SETTING
from envlock.diff.records import CoverageGaps
from envlock.diff.side import Side
from envlock.model.facts import Kind, kind_of
from envlock.model.record import Facts

_Sides = tuple[Side, Side, Side]
_Rows = Mapping[str, Facts]

_NOT_COMPARED = (Kind.ADDRESS, Kind.PROVENANCE)
_OF_A_FILE = ("type", "mode", "owner", "sha256", "target", "device", "capability")


def with_base(report: DriftReport, base: Side, left: Side, right: Side) -> DriftReport:
    """Return `report` with the side that differs from `base` in each change, None if unknown.

    A setting in a file changed on the side where the file changed.
    """
    sides = (base, left, right)
    rows = _rows(sides, (change.key for change in report.changes if change.section == FILE))
    changes = tuple(replace(change, moved=_moved(change, sides, rows)) for change in report.changes)
    return replace(report, changes=changes, base_name=base.name)


def _moved(change: Change, sides: _Sides, rows: tuple[_Rows, ...]) -> MovedSide | None:
    if change.kind is ChangeKind.UNKNOWN or change.is_unmet:
        return None
    field = "sha256" if change.field.startswith(SETTING) else change.field
    in_trees = [side.get(change.key) for side in rows] if change.section == FILE else []
    base, left, right = _states(change, in_trees or [None, None, None], field)
    if left == right:  # the trees are equal: the difference is in the records
        records = [_record(side, change) for side in sides]
        if records[0] is None and _is_unknown(sides, change):
            return None
        base, left, right = _states(change, records, field)
    is_provenance = bool(field) and kind_of(change.section, field) is Kind.PROVENANCE
    if left == right or (base is None and is_provenance):
        return None
    if base == left:
        return MovedSide.RIGHT
    return MovedSide.LEFT if base == right else MovedSide.BOTH


def _record(side: Side, change: Change) -> Facts | None:
    return side.lock.sections.get(change.section, {}).get(change.key)


def _is_unknown(sides: _Sides, change: Change) -> bool:
    """True when a record missing from the base may have existed there."""
    base, left, _ = sides
    return bool(CoverageGaps.of(base.lock, left.lock, change.section).left)


def _states(change: Change, records: Iterable[Facts | None], field: str) -> list[object]:
    return [_state(change.section, facts, field) for facts in records]


def _state(section: str, facts: Facts | None, field: str) -> object:
    """Return what is compared of one side: a fact, or all identifying facts of a record."""
    if facts is None or field:
        return facts and facts.get(field)
    if section == FILE:
        return {name: facts.get(name) for name in _OF_A_FILE}
    return {n: text for n, text in facts.items() if kind_of(section, n) not in _NOT_COMPARED}


def _rows(sides: _Sides, paths: Iterable[str]) -> tuple[_Rows, ...]:
    """Return the facts of some paths in each tree, empty unless all three trees are available."""
    wanted = frozenset(paths)
    trees = [side.tree for side in sides if side.tree is not None]
    if not wanted or len(trees) < len(sides):
        return ()
    return tuple(
        {row.entry.path: facts_of(row) for row in tree.rows if row.entry.path in wanted}
        for tree in trees
    )
