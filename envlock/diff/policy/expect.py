"""Expectations: what is meant to differ or must not, judged on the locks, not on their difference.

An expectation that is met hides the change it is about.  One that is not met is a difference of its
own, even if nothing differs.  One that cannot be judged gives a note.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from envlock.config.policy_tables import Demand, Expectation
from envlock.diff.drift import EXPECTED, ChangeKind, Delta, Note, NoteKind
from envlock.diff.files import SECTION as FILE
from envlock.diff.files import facts_of
from envlock.diff.filters import is_selected
from envlock.diff.locations import location_of
from envlock.diff.records import CoverageGaps, describe_record
from envlock.diff.side import Side
from envlock.model.facts import Kind, VersionOrder, kind_of, order_of
from envlock.model.glob import compile_globs
from envlock.model.lock import Section
from envlock.model.record import Facts
from envlock.model.severity import Severity
from envlock.model.text import escape, sort_key
from envlock.versions.likeness import Likeness, is_alike
from envlock.versions.ordering import compare

_WILD = re.compile(r"[*?]")
_SILENT_KINDS = (Kind.ADDRESS, Kind.PROVENANCE)


class ExpectationResult(NamedTuple):
    """The result of all expectations: what they hide, which are unmet, and notes."""

    hides: Callable[[Delta], bool]
    unmet: list[Delta]
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _RecordPair:
    """One record on both sides; either may lack it."""

    section: str
    key: str
    left: Facts | None
    right: Facts | None
    names: tuple[str, str]
    gap: str

    @property
    def both(self) -> tuple[Facts, Facts] | None:
        return None if self.left is None or self.right is None else (self.left, self.right)

    @property
    def sides(self) -> Iterator[tuple[str, Facts]]:
        """The sides that have the record, with their names."""
        for name, facts in zip(self.names, (self.left, self.right), strict=True):
            if facts is not None:
                yield name, facts

    def values(self, fact: str) -> tuple[str | None, str | None]:
        left, right = (facts and facts.get(fact) for facts in (self.left, self.right))
        return left or None, right or None

    def words(self) -> tuple[str | None, str | None]:
        left, right = (
            None if facts is None else describe_record(self.section, self.key, facts) or "present"
            for facts in (self.left, self.right)
        )
        return left, right


class _Outcome(NamedTuple):
    """The result for one record; `is_met` is None if it cannot be judged, and `why` says so."""

    is_met: bool | None
    why: str = ""
    left: str | None = None
    right: str | None = None
    hides: str = "**"
    """A glob of the facts whose differences are expected."""


_Judge = Callable[[Expectation, _RecordPair], _Outcome | None]
"""Judges a record; returns None if the expectation does not apply to it."""


def judge_expectations(
    expectations: Iterable[Expectation],
    sides: tuple[Side, Side],
    sections: frozenset[str] = frozenset(),
) -> ExpectationResult:
    """Judge every expectation for this pair and the selected sections (empty: all)."""
    hidden: dict[tuple[str, str], list[re.Pattern[str]]] = {}
    unmet: dict[tuple[str, str, str], Delta] = {}
    notes: list[Note] = []
    names = (sides[0].name, sides[1].name)
    for expectation in expectations:
        if not _is_about(expectation, names):
            continue
        pairs = list(_pairs(expectation, sides, sections))
        if not pairs and not sections:
            text = f"{expectation.subject} {expectation.words}: neither side has such a record"
            notes.append(Note(NoteKind.UNUSED_EXPECTATION, expectation.subject, text))
        for pair in pairs:
            outcome = _JUDGES[expectation.demand](expectation, pair)
            if outcome is None:
                continue
            if outcome.is_met is None:
                text = f"{pair.section} {escape(pair.key)}: {expectation.words}: {outcome.why}"
                notes.append(Note(NoteKind.UNDECIDED_EXPECTATION, expectation.subject, text))
            elif outcome.is_met:
                facts = compile_globs((outcome.hides,))
                hidden.setdefault((pair.section, pair.key), []).append(facts)
            else:
                delta = _unmet(expectation, pair, outcome)
                unmet.setdefault((delta.section, delta.key, delta.field), delta)

    def hides(delta: Delta) -> bool:
        facts = hidden.get((delta.section, delta.key), ())
        return delta.kind is not ChangeKind.UNKNOWN and any(f.match(delta.field) for f in facts)

    return ExpectationResult(hides, [*unmet.values()], tuple(dict.fromkeys(notes)))


def _is_about(expectation: Expectation, names: tuple[str, str]) -> bool:
    if expectation.environments:
        return names in (expectation.environments, expectation.environments[::-1])
    # An environment need not differ from itself.
    return expectation.demand is not Demand.MUST_DIFFER or names[0] != names[1]


def _pairs(
    expectation: Expectation, sides: tuple[Side, Side], sections: frozenset[str]
) -> Iterator[_RecordPair]:
    left, right = sides
    wanted = compile_globs((expectation.section,))
    key = compile_globs((expectation.key,))
    is_literal = not _WILD.search(expectation.section + expectation.key)
    there = left.lock.sections.keys() | right.lock.sections.keys()
    there |= {FILE} if left.tree or right.tree else set()
    there |= {expectation.section} if is_literal else set()
    for section in sorted(name for name in there if wanted.match(name)):
        if not is_selected(section, sections):
            continue
        ours, theirs = _records(left, section), _records(right, section)
        keys = {name for name in chain(ours, theirs) if key.match(name)}
        if is_literal and _asks_for_presence(expectation):
            keys.add(expectation.key)
        gaps = CoverageGaps.of(left.lock, right.lock, section)
        for name in sorted(keys, key=sort_key):
            side = left if name in ours else right
            known = ours.get(name) or theirs.get(name) or {}
            yield _RecordPair(
                section=section,
                key=name,
                left=ours.get(name),
                right=theirs.get(name),
                names=(left.name, right.name),
                gap=_gap(gaps, location_of(section, name, known, side.lock), name, ours, theirs),
            )


def _gap(gaps: CoverageGaps, path: str, name: str, ours: Section, theirs: Section) -> str:
    """Return why a record may exist on a side that has none, empty if it cannot."""
    found = gaps.at(path)
    return (name not in ours and found.left) or (name not in theirs and found.right) or ""


def _records(side: Side, section: str) -> Section:
    """Return the records of a section; for files also those that only the tree lists."""
    records = side.lock.sections.get(section, {})
    if section != FILE or side.tree is None:
        return records
    return {**{row.entry.path: facts_of(row) for row in side.tree.rows}, **records}


def _asks_for_presence(expectation: Expectation) -> bool:
    return expectation.demand is Demand.SATISFIES and expectation.likeness is Likeness.PRESENT


def _unmet(expectation: Expectation, pair: _RecordPair, outcome: _Outcome) -> Delta:
    return Delta(
        pair.section,
        pair.key,
        f"{EXPECTED}{expectation.demand.value}",
        ChangeKind.CHANGED,
        outcome.left,
        outcome.right,
        pair.right or pair.left or {},
        note=f"{expectation.reason}: {expectation.words}, but {outcome.why}",
        special_rule=expectation.demand.value,
        severity=Severity(expectation.severity),
    )


def _must_differ(expectation: Expectation, pair: _RecordPair) -> _Outcome | None:
    both = pair.both
    if both is None:
        return None
    wanted = compile_globs((expectation.fact or "**",))
    left, right = (
        {
            name: value
            for name, value in facts.items()
            if wanted.match(name) and kind_of(pair.section, name) not in _SILENT_KINDS
        }
        for facts in both
    )
    if left != right:
        return _Outcome(True, hides=expectation.fact or "**") if left and right else None
    secret = all("secret" in facts for facts in both)
    if secret:
        return _Outcome(None, "a lock does not contain the values of secrets")
    if not left:
        return None
    return _Outcome(False, "both have the same", *pair.words())


def _only_in(expectation: Expectation, pair: _RecordPair) -> _Outcome | None:
    wrong = dict.fromkeys(name for name, _ in pair.sides if name not in expectation.names)
    if wrong:
        return _Outcome(False, f"it is in {' and '.join(wrong)}", *pair.words())
    # A difference between environments that may have it is an ordinary one.
    return None if expectation.names.issuperset(pair.names) else _Outcome(True)


def _at_least(expectation: Expectation, pair: _RecordPair) -> _Outcome | None:
    fact = expectation.fact or "version"
    low = []
    found = [(name, facts[fact]) for name, facts in pair.sides if fact in facts]
    for name, value in found:
        try:
            if _compare(pair.section, fact, value, expectation.version) < 0:
                low.append(name)
        except ValueError as error:
            return _Outcome(None, str(error))
    if low:
        why = f"it is older in {' and '.join(dict.fromkeys(low))}"
        return _Outcome(False, why, *pair.values(fact))
    return _Outcome(True, hides=fact) if len(found) == len(pair.names) else None


def _satisfies(expectation: Expectation, pair: _RecordPair) -> _Outcome | None:
    if expectation.likeness is Likeness.PRESENT:
        return _present(pair)
    fact = expectation.fact or "version"
    left, right = pair.values(fact)
    if pair.both is None or left is None or right is None:
        return None
    try:
        is_met = _is_satisfied(expectation, pair, left, right)
    except ValueError as error:
        return _Outcome(None, str(error))
    if is_met:
        return _Outcome(True, hides=fact)
    return _Outcome(False, "the versions are too far apart", left, right)


def _present(pair: _RecordPair) -> _Outcome:
    if pair.both:
        return _Outcome(True, hides="version")
    if pair.gap:
        return _Outcome(None, pair.gap)
    there = {name for name, _ in pair.sides}
    lacking = dict.fromkeys(name for name in pair.names if name not in there)
    return _Outcome(False, f"it is missing in {' and '.join(lacking)}", *pair.words())


def _is_satisfied(expectation: Expectation, pair: _RecordPair, left: str, right: str) -> bool:
    if expectation.likeness is not Likeness.MIN:
        return is_alike(expectation.likeness, left, right)
    low, high = (left, right) if pair.names == expectation.environments else (right, left)
    return _compare(pair.section, expectation.fact or "version", low, high) <= 0


def _compare(section: str, fact: str, left: str, right: str) -> int:
    """Compare two versions by the order of the section, or values of other facts as numbers.

    Raise ValueError if they have no order.
    """
    is_version = kind_of(section, fact) is Kind.VERSION
    return compare(order_of(section) if is_version else VersionOrder.DOTTED, left, right)


_JUDGES: Mapping[Demand, _Judge] = {
    Demand.MUST_DIFFER: _must_differ,
    Demand.ONLY_IN: _only_in,
    Demand.AT_LEAST: _at_least,
    Demand.SATISFIES: _satisfies,
}
