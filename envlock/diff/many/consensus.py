"""The majority of many environments, as a lock that each of them is compared with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from envlock.diff.records import coverage_gap
from envlock.model.facts import Kind, kind_of, order_of
from envlock.model.lock import Lock, Section
from envlock.model.record import Facts
from envlock.versions.ordering import relate
from envlock.versions.relation import Relation

_NOTHING: Section = {}
_MOST_CANDIDATES = 16  # each is compared with each other


class SectionPool:
    """Keeps one object for equal sections of different locks.

    Identical objects need no comparison and no additional memory.
    """

    def __init__(self) -> None:
        self._pool: dict[tuple[str, int, int], list[Section]] = {}

    def share(self, lock: Lock) -> Lock:
        """Return `lock` with each section replaced by an equal one of an earlier lock, if any."""
        sections = {name: self._shared(name, found) for name, found in lock.sections.items()}
        return Lock(sections=sections, coverage=lock.coverage, version=lock.version)

    def _shared(self, name: str, entries: Section) -> Section:
        # Equal locks that were read with one cache share their facts, so identities say much.
        candidates = self._pool.setdefault((name, len(entries), _fingerprint(entries)), [])
        for candidate in candidates:
            if candidate == entries:
                return candidate
        candidates.append(entries)
        return entries


def _fingerprint(entries: Section) -> int:
    """Return a number that equal sections almost always share; only speed depends on it."""
    return hash(tuple(map(id, entries.values())))


class _Column(NamedTuple):
    """One distinct state of a section: its records, how many locks have it, if it is complete."""

    entries: Section
    size: int
    is_known: bool


def consensus(locks: Sequence[Lock], sections: Sequence[str]) -> Lock:
    """Return the lock that holds for each record and each fact what most of `locks` hold.

    A record is included if at least as many locks have it as are known to lack it.  Of a few
    equally frequent values the newest wins, otherwise the first in byte order; the order of `locks`
    never matters.  The result has no coverage gaps: those of the lock it is compared with count.
    """
    found = {name: _majority(name, list(_columns(name, locks))) for name in sections}
    return Lock(sections={name: entries for name, entries in found.items() if entries})


def _columns(name: str, locks: Sequence[Lock]) -> Iterator[_Column]:
    distinct: dict[tuple[int, bool], tuple[Section, int]] = {}
    for lock in locks:
        entries = lock.sections.get(name, _NOTHING)
        known = not (lock.coverage and coverage_gap(lock, name))
        _, count = distinct.get((id(entries), known), (entries, 0))
        distinct[id(entries), known] = (entries, count + 1)
    for (_, known), (entries, count) in distinct.items():
        yield _Column(entries, count, known)


def _majority(name: str, columns: Sequence[_Column]) -> Section:
    base = max(columns, key=lambda column: len(column.entries)).entries
    merged = dict(base)
    for key in _disputed(base, columns):
        facts = _majority_facts(name, key, columns)
        if facts is None:
            merged.pop(key, None)
        else:
            merged[key] = facts
    return merged


def _disputed(base: Section, columns: Sequence[_Column]) -> set[str]:
    """Return the keys whose facts are not the same in all columns."""
    disputed: set[str] = set()
    for column in columns:
        entries = column.entries
        if entries is base:
            continue
        disputed.update(key for key, facts in entries.items() if base.get(key) != facts)
        disputed.update(base.keys() - entries.keys())
    return disputed


def _majority_facts(name: str, key: str, columns: Sequence[_Column]) -> Facts | None:
    """Return the majority of one record, None if most locks lack it."""
    votes = [(facts, c.size) for c in columns if (facts := c.entries.get(key)) is not None]
    present = sum(count for _, count in votes)
    absent = sum(c.size for c in columns if key not in c.entries and c.is_known)
    if absent > present:
        return None
    names = {fact for facts, _ in votes for fact in facts}
    elected = {fact: _elect(name, fact, votes) for fact in sorted(names)}
    facts = {fact: value for fact, value in elected.items() if value is not None}
    # If most lack every single fact, no fact is elected: take one of the records instead.
    return facts or min((facts for facts, _ in votes), key=lambda facts: sorted(facts.items()))


def _elect(section: str, fact: str, votes: Sequence[tuple[Facts, int]]) -> str | None:
    tally: Counter[str | None] = Counter()
    for facts, count in votes:
        tally[facts.get(fact)] += count
    if kind_of(section, fact) is Kind.PROVENANCE and len(tally) > 1:
        del tally[None]  # an unknown provenance has no vote
    most = max(tally.values())
    leading = [value for value, count in tally.items() if count == most]
    if len(leading) == 1:
        return leading[0]
    return _preferred(section, fact, [value for value in leading if value is not None])


def _preferred(section: str, fact: str, values: Sequence[str]) -> str:
    if kind_of(section, fact) is Kind.VERSION and len(values) <= _MOST_CANDIDATES:
        for value in values:
            others = (other for other in values if other != value)
            if all(relate(order_of(section), other, value) is Relation.NEWER for other in others):
                return value
    return min(values)


def section_identities(sections: Mapping[str, Section]) -> tuple[tuple[str, int], ...]:
    """Return a key that two locks of one pool share if and only if their sections are equal."""
    return tuple((name, id(entries)) for name, entries in sorted(sections.items()))
