"""Inconsistencies in a comparison: told when they hold on one side and not on the other."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from envlock.diff.drift import FOUND, ChangeKind, Delta
from envlock.diff.filters import is_selected
from envlock.diff.inconsistencies.find import find_inconsistencies
from envlock.diff.inconsistencies.inconsistency import Inconsistency
from envlock.diff.inconsistencies.programs import moved_environment
from envlock.diff.severity import severity_of
from envlock.diff.side import Side
from envlock.model.severity import Severity

_JUDGED_TOGETHER = frozenset({"CUDA-DRIVER", "CUDA-DRIVER-FORWARD"})
"""Rules that `envlock.diff.cuda` applies to both sides at once."""

_LOST = ("missing", "lost-interpreter")
"""Facts of software that name an interpreter which does not exist."""

_Found = Mapping[tuple[str, str, str], Inconsistency]


def with_inconsistencies(
    deltas: Iterable[Delta], left: Side, right: Side, sections: Collection[str]
) -> list[Delta]:
    """Return the differences with the inconsistencies that hold on one side only.

    One that a difference of its record already shows gives that difference its rule; any other is
    a difference of its own.  What holds on the left only is an improvement: its severity is low.
    Nothing is said of a record that is unknown on one side.
    """
    found = list(_told_of_environments(list(deltas), right))
    ours, theirs = _find(left, sections), _find(right, sections)
    arisen = sorted(theirs[key] for key in theirs.keys() - ours.keys())
    resolved = sorted(ours[key] for key in ours.keys() - theirs.keys())
    positions: dict[str, list[int]] = {}
    if arisen or resolved:
        for position, delta in enumerate(found):
            positions.setdefault(delta.record, []).append(position)
    for several, kind in ((arisen, ChangeKind.ADDED), (resolved, ChangeKind.REMOVED)):
        shown: dict[int, list[Inconsistency]] = {}
        for one in several:
            places = [p for p in positions.get(one.record, ()) if _shows(found[p], one)]
            if places:
                shown.setdefault(places[0], []).append(one)
            else:
                found.append(_delta(one, kind))
        for place, each in shown.items():
            delta = found[place]
            if delta.kind is ChangeKind.UNKNOWN or delta.special_rule:
                continue
            delta = delta._replace(explained_by="")
            is_new = kind is ChangeKind.ADDED
            judged = (
                _arisen(delta, each, right.name) if is_new else _resolved(delta, each, left.name)
            )
            found[place] = judged
    return found


def _told_of_environments(deltas: list[Delta], right: Side) -> Iterable[Delta]:
    """Yield the differences; a lost interpreter follows from the environment that was moved."""
    records = {delta.record for delta in deltas if delta.section == "python"}
    for delta in deltas:
        of = ""
        if delta.section == "software" and delta.field in _LOST:
            of = f"python {moved_environment(right.lock, delta.key, delta.right or '')}"
        yield delta._replace(explained_by=of) if of in records else delta


def _arisen(delta: Delta, several: list[Inconsistency], name: str) -> Delta:
    """Return a difference with the rule that it breaks on the right, unless its own weighs more."""
    worst = min(several, key=lambda one: one.severity.rank)
    if worst.severity.rank > severity_of(delta).rank:
        return delta
    note = f"on {name}, {'; '.join(one.message for one in several)}"
    return delta._replace(special_rule=worst.rule, note=note)


def _resolved(delta: Delta, several: list[Inconsistency], name: str) -> Delta:
    """Return a difference as the improvement it is, if it is about what was wrong on the left."""
    same = [one for one in several if one.field == delta.field]
    if not same:
        return delta
    note = f"only on {name}, {'; '.join(one.message for one in same)}"
    return delta._replace(special_rule=same[0].rule, note=note, severity=Severity.LOW)


def _find(side: Side, sections: Collection[str]) -> _Found:
    return {
        (one.rule, one.section, one.key): one
        for one in find_inconsistencies(side.lock)
        if is_selected(one.section, frozenset(sections)) and one.rule not in _JUDGED_TOGETHER
    }


def _shows(delta: Delta, one: Inconsistency) -> bool:
    """True when a difference is of the record or the fact that an inconsistency is about."""
    return delta.field in (one.field, "")


def _delta(one: Inconsistency, kind: ChangeKind) -> Delta:
    left, right = (None, one.message) if kind is ChangeKind.ADDED else (one.message, None)
    return Delta(
        one.section, one.key, f"{FOUND}{one.rule}", kind, left, right, {}, special_rule=one.rule
    )
