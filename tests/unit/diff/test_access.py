"""Access that widened is told for every path, whatever its class hides."""

from __future__ import annotations

import pytest

from envlock.diff.access import with_widened
from envlock.diff.drift import Result
from envlock.diff.engine import compare
from envlock.model.lock import Lock
from envlock.model.tree import Entry, EntryType, FileClass, Row, Tree

EMPTY = Lock(sections={})


def tree(path="/var/lib/app/data", kind=FileClass.STATE, **fields):
    found = {"type": EntryType.FILE, "mode": 0o640, **fields}
    return Tree.of([Row(Entry(path, **found), kind)])


def told(left, right):
    report = with_widened(compare(EMPTY, EMPTY, left_tree=left, right_tree=right), left, right)
    return report.result, [(c.key, c.field, c.left, c.right) for c in report.changes]


@pytest.mark.parametrize("kind", [FileClass.STATE, FileClass.LOG, FileClass.SECRET,
                                  FileClass.GENERATED, FileClass.CACHE])  # fmt: skip
def test_a_wider_mode_is_drift_in_every_class(kind):
    left, right = tree(kind=kind), tree(kind=kind, mode=0o644)
    assert told(left, right) == (
        Result.DRIFT,
        [("/var/lib/app/data", "mode", "0640", "0644")],
    )
    if kind is not FileClass.SECRET:  # its mode is compared in both directions
        assert told(right, left) == (Result.EQUAL, [])


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        ({}, {"mode": 0o4640}, "mode"),
        ({}, {"uid": 33}, "owner"),
        ({}, {"xattrs": (("security.capability", b"\x01\0\0\x02" + bytes(16)),)}, "capability"),
    ],
)
def test_rights_of_the_owner_and_of_others(before, after, field):
    result, changes = told(tree(**before), tree(**after))
    assert result is Result.DRIFT
    assert [change[1] for change in changes] == [field]


LINK = {"type": EntryType.SYMLINK, "mode": 0o777, "target": "/srv/other"}
FOLDER = {"type": EntryType.DIRECTORY}
NOISY = [kind for kind in FileClass if not kind.is_significant]


@pytest.mark.parametrize("kind", NOISY)
@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        ({"mode": 0o4755, "uid": 33}, {"mode": 0o4755, "uid": 0}, "owner"),
        ({"mode": 0o4755, "uid": 33}, {"mode": 0o4755, "uid": 34}, "owner"),
        ({"mode": 0o2755, "gid": 33}, {"mode": 0o2755, "gid": 0}, "owner"),
        ({"mode": 0o6755, "gid": 33}, {"mode": 0o6755, "gid": 42}, "owner"),
        (LINK, {"mode": 0o4755}, ""),
        (LINK, {"xattrs": (("security.capability", b"\x01\0\0\x02" + bytes(16)),)}, ""),
        ({"mode": 0o4755}, LINK, "type"),
        ({"mode": 0o2755, **FOLDER}, {"mode": 0o2755}, ""),
    ],
)
def test_a_program_that_lends_the_rights_of_another(kind, before, after, field):
    result, changes = told(tree(kind=kind, **before), tree(kind=kind, **after))
    assert result is Result.DRIFT
    assert field in [change[1] for change in changes]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"mode": 0o755, "uid": 33}, {"mode": 0o755, "uid": 34}),
        ({"mode": 0o4755, "gid": 33}, {"mode": 0o4755, "gid": 34}),
        ({"mode": 0o2755, "uid": 33}, {"mode": 0o2755, "uid": 34}),
        ({"mode": 0o2755, "gid": 33, **FOLDER}, {"mode": 0o2755, "gid": 34, **FOLDER}),
        ({"mode": 0o4755}, {"mode": 0o755}),
        (LINK, {"mode": 0o755}),
        ({"mode": 0o755}, LINK),
        (LINK, {**LINK, "uid": 33}),
    ],
)
def test_what_lends_no_rights_changes_hands(before, after):
    assert told(tree(**before), tree(**after)) == (Result.EQUAL, [])


def test_a_new_program_with_the_rights_of_its_owner_is_told_where_files_are_hidden():
    nothing = Tree(())
    assert told(nothing, tree("/var/log/sh", FileClass.LOG, mode=0o4755))[0] is Result.DRIFT
    assert told(nothing, tree("/var/log/sh", FileClass.LOG, mode=0o755))[0] is Result.EQUAL


def test_what_the_kernel_shows_and_what_is_told_already_are_not_told():
    left = tree("/proc/1/mem", FileClass.STATE)
    assert told(left, tree("/proc/1/mem", FileClass.STATE, mode=0o666)) == (Result.EQUAL, [])
    left, right = tree("/srv/a", FileClass.UNOWNED), tree("/srv/a", FileClass.UNOWNED, mode=0o666)
    assert len(told(left, right)[1]) == 1
