"""Text and trees are read back as they were written, whatever the bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envlock.model.lock import Lock
from envlock.model.record import Record
from envlock.model.text import escape, from_bytes, to_bytes, unescape
from envlock.model.tree import Entry, EntryType, FileClass, Row, Tree

paths = st.binary(min_size=1, max_size=30).map(lambda raw: "/" + from_bytes(raw))


@given(st.binary(max_size=40))
def test_any_bytes_survive_escaping(raw):
    text = escape(from_bytes(raw))
    text.encode("utf-8")
    assert not {c for c in text if ord(c) < 0x20 or ord(c) == 0x7F}
    assert to_bytes(unescape(text)) == raw


@pytest.mark.parametrize("text", ["\\", "\\x4", "\\n", "a\\q", "\\xZZ"])
def test_malformed_escapes_are_rejected(text):
    with pytest.raises(ValueError, match="escape"):
        unescape(text)


@given(st.lists(paths, max_size=8, unique=True), st.binary(max_size=20))
def test_a_tree_survives_its_bytes(names, value):
    rows = [
        Row(
            Entry(
                path,
                EntryType.FILE,
                0o4755,
                1,
                2,
                -3,
                4,
                from_bytes(value),
                (1, 2),
                (("security.capability", value), ("user.x", b"")),
                "ab" * 32,
            ),
            FileClass.UNOWNED,
            "deb a:amd64",
            f"deb a:amd64 {path}",
        )
        for path in names
    ]
    tree = Tree.of(rows)
    assert Tree.from_bytes(tree.to_bytes()) == tree
    assert Tree.of(reversed(rows)) == tree


def test_noise_and_times_are_not_in_the_content_digest():
    file = Entry("/a", EntryType.FILE, 0o644, mtime=1, size=1, sha256="00" * 32)
    tree = Tree.of([Row(file, FileClass.UNOWNED)])
    later = Tree.of([Row(file._replace(mtime=2), FileClass.UNOWNED)])
    noisy = Tree.of([Row(file, FileClass.UNOWNED), Row(file._replace(path="/l"), FileClass.LOG)])
    assert tree.content_digest() == later.content_digest() == noisy.content_digest()
    for change in (
        {"mode": 0o600},
        {"uid": 5},
        {"sha256": "11" * 32},
        {"xattrs": (("user.a", b"1"),)},
    ):
        other = Tree.of([Row(file._replace(**change), FileClass.UNOWNED)])
        assert other.content_digest() != tree.content_digest()


@pytest.mark.parametrize(
    "raw", [b"", b"envlock-tree 2\n", b"envlock-tree 1\nx\n", b"envlock-tree 1"]
)
def test_damaged_trees_are_rejected(raw):
    with pytest.raises(ValueError, match="tree"):
        Tree.from_bytes(raw)


@pytest.mark.parametrize(
    "records",
    [
        [Record("os", "", {"id": "a"}), Record("os", "", {"id": "b"})],
        [Record("os", "key", {"id": "a"})],
        [Record("deb", "", {"version": "1"})],
        [Record("deb", "a:b", {"version": ""})],
    ],
)
def test_a_lock_rejects_invalid_records(records):
    with pytest.raises(ValueError, match=r"."):
        Lock.of(records)
