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


def scope(via, *, sha256="", of="linked", records=("deb",)):
    """Return a lock with one member of an application, and the record of each section."""
    facts = {"class": of, "via": via, "sha256": sha256}
    member = Record("scope", "app/deb:a:amd64", {n: text for n, text in facts.items() if text})
    root = Record("scope", "app", {"root": "process"})
    return Lock.of([root, *([member] if via else []), *(Record(s, "a:amd64", {}) for s in records)])


def test_another_edge_to_a_member_is_no_conflict():
    merged = merge_locks(scope("x → a"), scope("y → a"), scope("z → a", of="depends"))
    assert merged.conflicts == ()
    assert merged.lock.get("scope", "app/deb:a:amd64")["via"] == "y → a"
    other = merge_locks(scope("x → a"), scope("z → a", of="depends"), scope("y → a"))
    assert other.lock == merged.lock


def test_another_content_of_a_member_is_a_conflict():
    merged = merge_locks(scope("x"), scope("x", sha256="ab" * 32), scope("x", sha256="cd" * 32))
    assert [conflict.name for conflict in merged.conflicts] == ["scope app/deb:a:amd64"]


def test_a_member_goes_with_its_record():
    gone, kept = scope("", records=()), scope("y → a")
    merged = merge_locks(scope("x → a"), gone, kept)
    assert list(merged.lock.sections["scope"]) == ["app"]
    unrecorded = merge_locks(scope("x", records=()), scope("y", records=()), scope("z", records=()))
    assert "app/deb:a:amd64" in unrecorded.lock.sections["scope"]
