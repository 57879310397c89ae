"""Inconsistencies in a comparison: told when they hold on one side and not on the other."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from envlock.diff.drift import FOUND, ChangeKind, Delta
from envlock.diff.filters import is_selected
from envlock.diff.inconsistencies.find import find_inconsistencies
from envlock.diff.inconsistencies.inconsistency import Inconsistency
from envlock.diff.severity import severity_of
from envlock.diff.side import Side
from envlock.model.severity import Severity

_JUDGED_TOGETHER = frozenset({"CUDA-DRIVER", "CUDA-DRIVER-FORWARD"})
"""Rules that `envlock.diff.cuda` applies to both sides at once."""

_Found = Mapping[tuple[str, str, str], Inconsistency]


def with_inconsistencies(
    deltas: Iterable[Delta], left: Side, right: Side, sections: Collection[str]
) -> list[Delta]:
    """Return the differences with the inconsistencies that hold on one side only.

    One that a difference of its record already shows gives that difference its rule; any other is
    a difference of its own.  What holds on the left only is an improvement: its severity is low.
    """
    found = list(deltas)
    ours, theirs = _find(left, sections), _find(right, sections)
    arisen = [theirs[key] for key in theirs.keys() - ours.keys()]
    resolved = [ours[key] for key in ours.keys() - theirs.keys()]
    positions: dict[str, list[int]] = {}
    if arisen or resolved:
        for position, delta in enumerate(found):
            positions.setdefault(delta.record, []).append(position)
    for one in sorted(arisen):
        shown = [p for p in positions.get(one.record, ()) if _shows(found[p], one, ("",))]
        if not shown:
            found.append(_delta(one, ChangeKind.ADDED))
        elif one.severity.rank <= severity_of(found[shown[0]]).rank:
            note = f"on {right.name}, {one.message}"
            found[shown[0]] = _judged(found[shown[0]], one, note)
    for one in sorted(resolved):
        shown = [p for p in positions.get(one.record, ()) if _shows(found[p], one, ())]
        if shown:
            note = f"only on {left.name}, {one.message}"
            found[shown[0]] = _judged(found[shown[0]], one, note)._replace(severity=Severity.LOW)
        elif one.key in right.lock.sections.get(one.section, {}):
            found.append(_delta(one, ChangeKind.REMOVED)._replace(severity=Severity.LOW))
    return found


def _find(side: Side, sections: Collection[str]) -> _Found:
    return {
        (one.rule, one.section, one.key): one
        for one in find_inconsistencies(side.lock)
        if is_selected(one.section, frozenset(sections)) and one.rule not in _JUDGED_TOGETHER
    }


def _shows(delta: Delta, one: Inconsistency, more: tuple[str, ...]) -> bool:
    """True when a difference is of the record or the fact that an inconsistency is about."""
    if delta.kind is ChangeKind.UNKNOWN or delta.special_rule:
        return False
    return delta.field in (one.field, *more)


def _judged(delta: Delta, one: Inconsistency, note: str) -> Delta:
    return delta._replace(special_rule=one.rule, note=note, explained_by="")


def _delta(one: Inconsistency, kind: ChangeKind) -> Delta:
    left, right = (None, one.message) if kind is ChangeKind.ADDED else (one.message, None)
    return Delta(
        one.section, one.key, f"{FOUND}{one.rule}", kind, left, right, {}, special_rule=one.rule
    )
