"""Merge two locks that grew from one: record by record, as a git merge driver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from envlock.lockfile.syntax import COVERAGE
from envlock.model.lock import Lock
from envlock.model.record import Facts, Record
from envlock.model.text import escape

_Key = tuple[str, str]


class Merged(NamedTuple):
    """The merged lock, and the records that both sides changed to something else.

    Of a conflict the lock holds ours.
    """

    lock: Lock
    conflicts: tuple[str, ...]


def merge_locks(base: Lock, ours: Lock, theirs: Lock) -> Merged:
    """Return the three-way merge of two locks; what only one side changed is taken from it."""
    before, left, right = (_records(lock) for lock in (base, ours, theirs))
    merged: dict[_Key, Facts] = {}
    conflicts: list[str] = []
    for key in sorted({*before, *left, *right}):
        old, mine, yours = before.get(key), left.get(key), right.get(key)
        if mine != old and yours not in (old, mine):
            conflicts.append(f"{key[0]} {escape(key[1])}".rstrip())
        chosen = yours if mine == old else mine
        if chosen is not None:
            merged[key] = chosen
    records = (Record(*key, facts) for key, facts in merged.items() if key[0] != COVERAGE)
    coverage = {key[1]: facts for key, facts in merged.items() if key[0] == COVERAGE}
    return Merged(Lock.of(records, coverage, max(ours.version, theirs.version)), tuple(conflicts))


def _records(lock: Lock) -> Mapping[_Key, Facts]:
    found: dict[_Key, Facts] = {(r.section, r.key): r.facts for r in lock.records()}
    found.update({(COVERAGE, key): facts for key, facts in lock.coverage.items()})
    return found
