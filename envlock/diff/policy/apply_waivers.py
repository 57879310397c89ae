"""Apply the baseline and the waivers to changes that have a severity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from itertools import chain
from typing import NamedTuple

from envlock.config.policy_tables import Waiver
from envlock.diff.alike import unfold
from envlock.diff.drift import (
    Change,
    ChangeStatus,
    DriftReport,
    Note,
    NoteKind,
    judge,
    summarize,
)
from envlock.diff.policy.baseline import Baseline, Pair, can_be_accepted
from envlock.diff.policy.bind import mirrored_id
from envlock.diff.policy.policy import Policy
from envlock.diff.rules import SPECIAL_RULES
from envlock.diff.scoped import fold


class WaiverResult(NamedTuple):
    """Changes with their status, and notes about waivers and baseline entries without effect."""

    changes: tuple[Change, ...]
    notes: tuple[Note, ...]


def apply_waivers(
    changes: Iterable[Change], policy: Policy, pair: Pair, *, complete: bool
) -> WaiverResult:
    """Return the changes of a pair of environments with the status that policy gives them.

    A change that another one explains gets the status of that one.  Notes about differences that no
    longer occur are made only if the comparison was `complete`.
    """
    waivers = _Waivers(policy.waive, pair, policy.today)
    own = [
        _with_status(change, policy.baseline, waivers, pair) if can_be_accepted(change) else change
        for change in changes
    ]
    notes: Iterator[Note] = iter(())
    if complete:
        notes = chain(waivers.stale(own), _stale_baseline(policy.baseline, own, pair))
    return WaiverResult(tuple(_inherit(own)), tuple(notes))


def reapply_waivers(report: DriftReport, policy: Policy, pair: Pair) -> DriftReport:
    """Return a report with another baseline or other waivers applied.

    It must be of a complete comparison, made with the option `bind`.
    """
    unfolded = unfold(report.changes)
    fresh = (replace(change, status=ChangeStatus.NEW, policy="") for change in unfolded)
    applied = apply_waivers(fresh, policy, pair, complete=True)
    uncovered = any(change.rule == SPECIAL_RULES["required"].id for change in applied.changes)
    kinds = (NoteKind.STALE_WAIVER, NoteKind.STALE_BASELINE)
    changes = fold(applied.changes)
    return replace(
        report,
        changes=changes,
        summary=summarize(changes),
        result=judge(changes, uncovered=uncovered),
        notes=(*(note for note in report.notes if note.kind not in kinds), *applied.notes),
    )


def _with_status(change: Change, baseline: Baseline, waivers: _Waivers, pair: Pair) -> Change:
    waiver = waivers.find(change)
    if baseline.covers(change, pair):
        return replace(change, status=ChangeStatus.BASELINE, policy="accepted in the baseline")
    if waiver is None:
        return change
    if waivers.has_expired(waiver):
        text = f"the waiver expired on {waiver.expires}: {waiver.reason}"
        return replace(change, status=ChangeStatus.EXPIRED_WAIVER, policy=text)
    text = f"waived until {waiver.expires}: {waiver.reason}"
    return replace(change, status=ChangeStatus.WAIVED, policy=text)


class _Waivers:
    """The waivers of a pair in either order; records which ones were used."""

    def __init__(self, waivers: Iterable[Waiver], pair: Pair, today: date) -> None:
        waivers = tuple(waivers)
        self._forward = _by_id(w for w in waivers if w.environments == pair)
        self._backward = _by_id(w for w in waivers if w.environments == pair[::-1])
        self._today = today
        self._used: set[Waiver] = set()

    def has_expired(self, waiver: Waiver) -> bool:
        return waiver.expires < self._today

    def find(self, change: Change) -> Waiver | None:
        """Return the waiver for this change and its values, of several the one that ends last."""
        found = [w for w in self._forward.get(change.id, ()) if w.values == change.bound]
        bound = change.bound[::-1]
        found += [w for w in self._backward.get(mirrored_id(change), ()) if w.values == bound]
        self._used.update(found)
        return max(found, key=lambda waiver: waiver.expires, default=None)

    def stale(self, changes: Iterable[Change]) -> Iterator[Note]:
        """Yield a note for each waiver that covers no change."""
        current = {change.id for change in changes} | {mirrored_id(change) for change in changes}
        waivers = chain(*self._forward.values(), *self._backward.values())
        for waiver in dict.fromkeys(waivers):
            if waiver in self._used:
                continue
            why = "the values have changed" if waiver.id in current else "it no longer differs"
            text = f"{waiver.what or waiver.id}: {why}; remove the waiver or write a new one"
            yield Note(NoteKind.STALE_WAIVER, waiver.id, text)


def _by_id(waivers: Iterable[Waiver]) -> Mapping[str, list[Waiver]]:
    found: dict[str, list[Waiver]] = {}
    for waiver in waivers:
        found.setdefault(waiver.id, []).append(waiver)
    return found


def _stale_baseline(baseline: Baseline, changes: list[Change], pair: Pair) -> Iterator[Note]:
    gone = len(baseline.missing(changes, pair))
    if gone:
        count = f"{gone} accepted difference{'' if gone == 1 else 's'}"
        text = f"{count} no longer occur; --update-baseline removes them"
        yield Note(NoteKind.STALE_BASELINE, " ".join(sorted(pair)), text)


def _lead(
    change: Change, unexplained: Mapping[str, Change], explanations: Mapping[str, str]
) -> Change | None:
    """Return the change that explains this one, directly or through other explained changes."""
    record, seen = change.explained_by, {""}
    while record not in unexplained and record not in seen:
        seen.add(record)
        record = explanations.get(record, "")
    return unexplained.get(record) if change.explained_by else None


def _inherit(changes: Iterable[Change]) -> Iterator[Change]:
    """Yield the changes; explained ones get the status of the change that explains them."""
    listed = list(changes)
    unexplained: dict[str, Change] = {}
    for change in listed:
        if change.explained_by:
            continue
        known = unexplained.get(change.record)
        if known is None or (change.status.counts and not known.status.counts):
            unexplained[change.record] = change
    explanations = {change.record: change.explained_by for change in listed if change.explained_by}
    for change in listed:
        lead = _lead(change, unexplained, explanations)
        if lead is None or lead.status is ChangeStatus.NEW:
            yield change
        else:
            yield replace(change, status=lead.status, policy=lead.policy)
