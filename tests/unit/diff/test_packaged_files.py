"""Files that differ from their package, while that package changes."""

import pytest

from envlock.diff.engine import compare
from envlock.model.lock import Lock
from envlock.model.record import Record
from envlock.model.tree import Entry, EntryType, FileClass, Row, Tree

OWNER = "rpm shop.x86_64"


def environment(version, rows, **files):
    tree = Tree.of(rows)
    records = [
        Record("rpm", "shop.x86_64", {"version": version, "sha256": version * 4}),
        Record("tree", "", {"content": tree.content_digest()}),
        *(Record("file", f"/usr/{name}", facts) for name, facts in files.items()),
    ]
    return Lock.of(records), tree


def file(name, content="a", mode=0o644, kind=FileClass.PACKAGE):
    entry = Entry(f"/usr/{name}", EntryType.FILE, mode, sha256=content * 64)
    return Row(entry, kind, OWNER)


def summaries(left, right):
    report = compare(left[0], right[0], left_tree=left[1], right_tree=right[1])
    keys = [(c.section, c.key, c.field) for c in report.changes]
    assert len(keys) == len(set(keys))
    return {(c.key, c.field): c for c in report.changes if c.section == "file"}


def test_a_new_version_explains_its_files():
    left = environment("1-1", [file("x", "a"), file("old")])
    right = environment("1-2", [file("x", "b"), file("new")])
    changes = summaries(left, right)
    assert {c.explained_by for c in changes.values()} == {OWNER}
    assert len(changes) == 3


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_missing_file_is_not_explained_by_a_new_version(mirrored):
    pair = [
        environment("1-1", [file("x"), file("lost")]),
        environment("1-2", [file("x")], lost={"class": "package-missing"}),
    ]
    changes = summaries(*(reversed(pair) if mirrored else pair))
    assert {key: c.rule for key, c in changes.items()} == {
        ("/usr/lost", ""): "FILE-REPAIRED" if mirrored else "FILE-PACKAGE-MISSING"
    }


def test_other_permissions_are_not_explained_by_a_new_version():
    facts = {"class": "package", "mode": "0777", "packaged-mode": "0644"}
    left = environment("1-1", [file("x")])
    right = environment("1-2", [file("x", mode=0o777)], x=facts)
    changes = summaries(left, right)
    assert {key: c.rule for key, c in changes.items()} == {("/usr/x", ""): "FILE-RIGHTS"}


def test_the_tree_comparison_is_kept_if_the_package_is_unchanged():
    facts = {"class": "package", "mode": "0777", "packaged-mode": "0644"}
    left = environment("1-1", [file("x")])
    right = environment("1-1", [file("x", mode=0o777)], x=facts)
    changes = summaries(left, right)
    assert {key: c.rule for key, c in changes.items()} == {("/usr/x", "mode"): "FILE-PRIVILEGE"}


def test_no_change_that_follows_from_a_version_is_counted_twice():
    left, right = environment("1-1", [file("x")]), environment("1-2", [file("x")])
    report = compare(left[0], right[0], left_tree=left[1], right_tree=right[1])
    assert {(c.field, c.explained_by) for c in report.changes} == {
        ("version", ""),
        ("sha256", OWNER),
    }
