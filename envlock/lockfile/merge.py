"""Three-way merge of locks, record by record, for the git merge driver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from envlock.lockfile.syntax import COVERAGE
from envlock.lockfile.writer import render_lock
from envlock.model.lock import Lock
from envlock.model.record import Facts, Record
from envlock.model.scope import SECTION as SCOPE
from envlock.model.scope import MemberClass
from envlock.model.text import escape

_Key = tuple[str, str]


class Conflict(NamedTuple):
    """A record that both sides changed in different ways; None where one side removed it."""

    section: str
    key: str
    ours: Facts | None
    theirs: Facts | None

    @property
    def name(self) -> str:
        """Return the name of the record in messages."""
        return f"{self.section} {escape(self.key)}".rstrip()


class Merged(NamedTuple):
    """The merged lock and the conflicts; of a conflict it has our record, or else theirs."""

    lock: Lock
    conflicts: tuple[Conflict, ...]


def merge_locks(base: Lock, ours: Lock, theirs: Lock) -> Merged:
    """Return the three-way merge of two locks: a record that one side changed is taken from it.

    What an application needs is derived from other records: both sides may find another edge to one
    member, which is no conflict.
    """
    before, left, right = (_records(lock) for lock in (base, ours, theirs))
    merged: dict[_Key, Facts] = {}
    conflicts: list[Conflict] = []
    for key in sorted({*before, *left, *right}):
        old, mine, yours = before.get(key), left.get(key), right.get(key)
        chosen = yours if mine == old else mine
        if mine != old and yours not in (old, mine):
            chosen = mine or yours
            if _is_edge(key, mine, yours):
                chosen = min(filter(None, (mine, yours)), key=_strength)
            else:
                conflicts.append(Conflict(*key, mine, yours))
        if chosen is not None:
            merged[key] = chosen
    for key in [key for key in merged if _is_lost(key, before, merged)]:
        del merged[key]
    return Merged(_lock(merged, max(ours.version, theirs.version)), tuple(conflicts))


def _is_edge(key: _Key, mine: Facts | None, yours: Facts | None) -> bool:
    """True for a member of a closure with other edges, and the same content, on both sides."""
    digests = {facts.get("sha256", "") for facts in (mine, yours) if facts is not None}
    return key[0] == SCOPE and "/" in key[1] and len(digests) == 1


def _strength(facts: Facts) -> tuple[int, str]:
    """Return the sort key of an edge: the strongest class first."""
    known = [member_class.value for member_class in MemberClass]
    name = facts.get("class", "")
    return known.index(name) if name in known else len(known), facts.get("via", "")


def _is_lost(key: _Key, before: Mapping[_Key, Facts], merged: Mapping[_Key, Facts]) -> bool:
    """True for a member of a closure whose record one of the sides has removed."""
    section, colon, name = key[1].partition("/")[2].partition(":")
    record = (section, name)
    return key[0] == SCOPE and bool(colon) and record in before and record not in merged


def render_merged(merged: Merged) -> bytes:
    """Return the merged lock as a file with git's conflict markers around each conflict.

    It cannot be read as a lock until the markers are removed.
    """
    text = render_lock(merged.lock)
    for section, key, ours, theirs in merged.conflicts:
        mine, yours = (_table(section, key, facts) for facts in (ours, theirs))
        marked = b"\n<<<<<<< ours\n" + mine + b"=======\n" + yours + b">>>>>>> theirs\n"
        text = text.replace(b"\n" + (mine or yours), marked, 1)
    return text


def _table(section: str, key: str, facts: Facts | None) -> bytes:
    """Return the text of one record, or nothing when there is none."""
    if facts is None:
        return b""
    alone = render_lock(_lock({(section, key): facts}, Lock(sections={}).version))
    return alone.split(b"\n\n", 1)[1]


def _lock(found: Mapping[_Key, Facts], version: str) -> Lock:
    records = (Record(*key, facts) for key, facts in found.items() if key[0] != COVERAGE)
    coverage = {key[1]: facts for key, facts in found.items() if key[0] == COVERAGE}
    return Lock.of(records, coverage, version)


def _records(lock: Lock) -> Mapping[_Key, Facts]:
    found: dict[_Key, Facts] = {(r.section, r.key): r.facts for r in lock.records()}
    found.update({(COVERAGE, key): facts for key, facts in lock.coverage.items()})
    return found
