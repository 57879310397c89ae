"""Compare many environments: which ones differ from the majority.

Each environment is compared with the majority (`envlock.diff.many.consensus`) by the same rules as
two environments, and equal differences are combined.  Equal environments are compared once.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from envlock.diff.contents import with_contents
from envlock.diff.drift import Change, ChangeKind, Delta, DriftReport, judge, summarize
from envlock.diff.engine import (
    DERIVED,
    Options,
    changed_packages,
    fold_packaged,
    parity,
    section_sort_key,
)
from envlock.diff.filters import drop_ignored, is_selected
from envlock.diff.many.consensus import SectionPool, consensus, section_identities
from envlock.diff.policy.presets import PRESETS
from envlock.diff.records import CoverageGaps, compare_section, coverage_gap, coverage_status
from envlock.diff.scoped import in_scope, size, within
from envlock.diff.severity import classify
from envlock.model.facts import fact_sort_key
from envlock.model.lock import Lock
from envlock.model.scoping import Scoping
from envlock.model.text import sort_key

MAJORITY = "the majority"
"""Name of the left side in reasons and fixes."""

_DIGITS = re.compile(r"(\d{1,18})")
_NAMED_PARTS = 3


class Outlier(NamedTuple):
    """Environments with the same `change` from the majority."""

    change: Change
    environments: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One record, or one fact of it, that is not the same in all environments.

    `majority` is the value that most have, None if most lack it; `agreeing` counts them.  If the
    finding is about a fact, `missing` are the environments that lack the whole record or may do so.
    """

    section: str
    key: str
    field: str
    majority: str | None
    agreeing: int
    outliers: tuple[Outlier, ...]
    missing: tuple[str, ...] = ()

    @property
    def lead(self) -> Change:
        """The most severe change."""
        return min((o.change for o in self.outliers), key=lambda change: change.severity.rank)


class Group(NamedTuple):
    """Environments that are equal in every finding: one column of the matrix."""

    name: str
    environments: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """The differences of many environments.

    `environments` are in natural order, `groups` in the order of their first members.  `report`
    holds the change of every outlier; it determines the verdict, the counts and the exit status.
    """

    environments: tuple[str, ...]
    groups: tuple[Group, ...]
    findings: tuple[Finding, ...]
    report: DriftReport


class _Cell(NamedTuple):
    """The record or fact that a finding is about."""

    section: str
    key: str
    field: str


@dataclass(slots=True, kw_only=True)
class _Draft:
    """A finding under construction: equal deltas and the environments that have them."""

    majority: str | None
    deltas: dict[tuple[object, ...], list[Delta]] = field(default_factory=lambda: defaultdict(list))
    environments: dict[tuple[object, ...], set[str]] = field(
        default_factory=lambda: defaultdict(set)
    )

    def add(self, delta: Delta, names: Iterable[str]) -> None:
        """Add a difference of some environments."""
        content = (delta.kind.value, delta.left, delta.right, delta.explained_by, delta.note)
        if all(delta is not known for known in self.deltas[content]):
            self.deltas[content].append(delta)
        self.environments[content].update(names)


def compare_many(environments: Mapping[str, Lock], options: Options) -> Matrix:
    """Return the differences among `environments`, a mapping from names to locks.

    The order of the environments does not matter.  Only the locks are compared, not their file
    trees.  Raise UsageError for an invalid ignore rule.
    """
    names = sorted(environments, key=natural_sort_key)
    pool = SectionPool()
    locks = {name: pool.share(environments[name]) for name in names}
    present = {section for lock in locks.values() for section in lock.sections} - DERIVED
    sections = sorted(
        filter(lambda s: is_selected(s, options.sections), present), key=section_sort_key
    )
    most = consensus(list(locks.values()), sections)
    drafts: dict[_Cell, _Draft] = {}
    ignored = _Comparison(most, sections, options).fill(drafts, locks)
    uncovered = list(_uncovered(locks, options))
    for name, delta in uncovered:
        _draft_of(drafts, delta).add(delta, (name,))
    findings = tuple(_findings(drafts, len(names), options.scoping))
    changes = tuple(outlier.change for finding in findings for outlier in finding.outliers)
    total = sum(len(_keys(section, locks.values())) for section in sections)
    report = DriftReport(
        result=judge(changes, uncovered=bool(uncovered)),
        left_name=MAJORITY,
        right_name=label(names),
        changes=changes,
        hidden={"ignored": ignored} if ignored else {},
        summary=summarize(changes),
        parity=_parity(options.scoping, findings, total),
        variables_by_presence=_by_presence(locks.values()) if "env" in sections else 0,
        scoping=options.scoping,
    )
    groups = tuple(_groups(names, [f for f in findings if not f.lead.is_outside]))
    return Matrix(environments=tuple(names), groups=groups, findings=findings, report=report)


def _parity(scoping: Scoping | None, findings: Iterable[Finding], total: int) -> float:
    """Return the equal share of all records, or of those in scope."""
    differing = {
        (f.section, f.key) for f in findings if f.field != "coverage" and not f.lead.is_outside
    }
    return parity(size(scoping) if scoping else total, len(differing))


def _by_presence(locks: Iterable[Lock]) -> int:
    """Return how many variables several environments set and have no value that can be compared."""
    hidden = Counter(
        name
        for lock in locks
        for name, facts in lock.sections.get("env", {}).items()
        if "secret" in facts and "fingerprint" not in facts
    )
    return sum(count > 1 for count in hidden.values())


class _Comparison:
    """Compares every environment with the majority and caches the results."""

    def __init__(self, most: Lock, sections: Sequence[str], options: Options) -> None:
        self._most = most
        self._sections = sections
        self._options = options
        presets = (PRESETS[name].rules for name in options.policy.presets)
        self._rules = (*options.ignore, *chain.from_iterable(presets))
        self._deltas: dict[tuple[str, int, CoverageGaps], list[Delta]] = {}
        self._settings: dict[tuple[str, str | None, str | None], list[Delta]] = {}

    def fill(self, drafts: dict[_Cell, _Draft], locks: Mapping[str, Lock]) -> int:
        """Add every difference to `drafts`; return how many the ignore rules drop."""
        alike: dict[tuple[object, ...], list[str]] = defaultdict(list)
        for name, lock in locks.items():
            gaps = tuple(self._gaps(section, lock) for section in self._sections)
            alike[section_identities(lock.sections), gaps, bool(lock.coverage)].append(name)
        dropped: set[tuple[str, str | None]] = set()
        for names in alike.values():
            found = self._compare(locks[names[0]])
            kept, _ = drop_ignored(found, self._rules)
            dropped |= {(d.id, d.right) for d in found} - {(d.id, d.right) for d in kept}
            for delta in kept:
                _draft_of(drafts, delta).add(delta, names)
        return len(dropped)

    def _compare(self, lock: Lock) -> list[Delta]:
        deltas = [delta for section in self._sections for delta in self._section(section, lock)]
        changed = changed_packages(deltas)
        packaged = (fold_packaged(delta, changed) for delta in deltas)
        folded = within(packaged, self._options.scoping)
        return [result for delta in folded for result in self._with_settings(delta)]

    def _section(self, section: str, lock: Lock) -> list[Delta]:
        entries = lock.sections.get(section)
        gaps = self._gaps(section, lock)
        known = self._deltas.get((section, id(entries), gaps))
        if known is None:
            known = list(compare_section(section, self._most, lock))
            self._deltas[section, id(entries), gaps] = known
        return known

    def _gaps(self, section: str, lock: Lock) -> CoverageGaps:
        return CoverageGaps.of(self._most, lock, section)

    def _with_settings(self, delta: Delta) -> list[Delta]:
        """Return a difference and, for a changed file, the settings in it that differ."""
        if delta.field != "sha256" or self._options.contents is None:
            return [delta]
        change = (delta.key, delta.left, delta.right)
        known = self._settings.get(change)
        if known is None:
            known = self._settings[change] = list(
                with_contents([delta], self._options.contents, self._options.redact)
            )
        return known


def _draft_of(drafts: dict[_Cell, _Draft], delta: Delta) -> _Draft:
    cell = _Cell(delta.section, delta.key, delta.field)
    if cell not in drafts:
        drafts[cell] = _Draft(majority=delta.left)
    return drafts[cell]


def _uncovered(locks: Mapping[str, Lock], options: Options) -> Iterable[tuple[str, Delta]]:
    """Yield the environments that do not cover a required section."""
    for section in sorted(options.require):
        if not is_selected(section, options.sections):
            continue
        for name, lock in locks.items():
            if not (why := coverage_gap(lock, section)):
                continue
            note = f"policy requires this section; {why}"
            status = coverage_status(lock, section)
            unknown = ChangeKind.UNKNOWN
            yield (
                name,
                Delta(
                    section,
                    "",
                    "coverage",
                    unknown,
                    None,
                    status,
                    {},
                    note=note,
                    special_rule="required",
                ),
            )


def _findings(
    drafts: Mapping[_Cell, _Draft], total: int, scoping: Scoping | None
) -> Iterable[Finding]:
    gone: dict[tuple[str, str], set[str]] = defaultdict(set)
    for cell, draft in drafts.items():
        if cell.key and not cell.field:
            gone[cell.section, cell.key].update(*draft.environments.values())
    for cell in sorted(drafts, key=_cell_order):
        draft = drafts[cell]
        outliers = sorted(
            (
                _outlier(deltas, draft.environments[content], scoping)
                for content, deltas in draft.deltas.items()
            ),
            key=_outlier_order,
        )
        odd = set().union(*draft.environments.values())
        missing = (gone[cell.section, cell.key] if cell.field and cell.key else set()) - odd
        yield Finding(
            section=cell.section,
            key=cell.key,
            field=cell.field,
            majority=draft.majority,
            agreeing=total - len(odd) - len(missing),
            outliers=tuple(outliers),
            missing=tuple(sorted(missing, key=natural_sort_key)),
        )


def _cell_order(cell: _Cell) -> tuple[object, ...]:
    record = section_sort_key(cell.section), sort_key(cell.key)
    return *record, bool(cell.field), fact_sort_key(cell.field)


def _outlier(
    deltas: Sequence[Delta], environments: Iterable[str], scoping: Scoping | None
) -> Outlier:
    names = tuple(sorted(environments, key=natural_sort_key))
    named = label(names)
    # The same difference can be more severe in one of them: there the package was requested.
    judged = ((classify(delta, MAJORITY, named), delta) for delta in deltas)
    changes = (in_scope(change, delta, scoping) if scoping else change for change, delta in judged)
    return Outlier(min(changes, key=lambda c: (c.severity.rank, c.rule, c.why, c.fix)), names)


def _outlier_order(outlier: Outlier) -> tuple[object, ...]:
    change = outlier.change
    return (
        change.severity.rank,
        change.kind.value,
        sort_key(change.right or ""),
        change.explained_by,
    )


def _keys(section: str, locks: Iterable[Lock]) -> set[str]:
    distinct = {id(found): found for lock in locks if (found := lock.sections.get(section))}
    return set().union(*distinct.values())


def _groups(names: Sequence[str], findings: Sequence[Finding]) -> Iterable[Group]:
    columns: dict[str, list[tuple[int, int]]] = {name: [] for name in names}
    for row, finding in enumerate(findings):
        for number, outlier in enumerate(finding.outliers):
            for name in outlier.environments:
                columns[name].append((row, number))
        for name in finding.missing:
            columns[name].append((row, -1))
    members: dict[tuple[tuple[int, int], ...], list[str]] = defaultdict(list)
    for name in names:
        members[tuple(columns[name])].append(name)
    return (Group(label(found), tuple(found)) for found in members.values())


def natural_sort_key(name: str) -> tuple[list[tuple[int, str]], str]:
    """Return the sort key of a name: ``web-9`` comes before ``web-10``."""
    parts = _DIGITS.split(name)
    return [(int(p), "") if n % 2 else (-1, p) for n, p in enumerate(parts)], name


def label(names: Sequence[str]) -> str:
    """Return a short text for a list of names: ``web-1..web-17, db (18)``."""
    runs: list[list[str]] = []
    for name in names:
        if runs and _follows(runs[-1][-1], name):
            runs[-1].append(name)
        else:
            runs.append([name])
    parts = [part for run in runs for part in ([f"{run[0]}..{run[-1]}"] if len(run) > 2 else run)]
    count = f" ({len(names)})" if len(names) > 1 else ""
    more = ", ..." if len(parts) > _NAMED_PARTS else ""
    return ", ".join(parts[:_NAMED_PARTS]) + more + count


def _follows(name: str, following: str) -> bool:
    """True when two names differ only in a number, which is one higher in the second."""
    first, second = _DIGITS.split(name), _DIGITS.split(following)
    if len(first) != len(second):
        return False
    differing = [pair for pair in zip(first, second, strict=True) if pair[0] != pair[1]]
    if len(differing) != 1 or not all(text.isdecimal() for text in differing[0]):
        return False
    low, high = map(int, differing[0])
    return high == low + 1
