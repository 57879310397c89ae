"""Merging locks."""

from __future__ import annotations

from envlock.lockfile.merge import merge_locks
from envlock.model.lock import Lock
from envlock.model.record import Record


def test_a_merge_reports_conflicts_and_keeps_ours():
    def lock(version, *more):
        return Lock.of([Record("deb", "a:amd64", {"version": version}), *more])

    new = Record("deb", "b:amd64", {"version": "1"})
    merged = merge_locks(lock("1"), lock("2"), lock("3", new))
    assert [conflict.name for conflict in merged.conflicts] == ["deb a:amd64"]
    assert merged.lock.get("deb", "a:amd64") == {"version": "2"}
    assert merged.lock.get("deb", "b:amd64") == {"version": "1"}
    assert merge_locks(lock("1", new), lock("1"), lock("2", new)).lock == lock("2")
