"""Any tree, split into any number of layers, is the same tree when they are unpacked in order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from envlock.materialize.image.layers import split
from envlock.model.tree import Entry, EntryType, FileClass, Row, Tree

OWNERS = ("", "deb a:amd64", "deb b:amd64", "python app/c", "python app/d")
GROUPS = {owner: owner.partition(":")[0] for owner in OWNERS if owner}


@st.composite
def trees(draw):
    rows: dict[str, Row] = {}
    names = st.sampled_from(["a", "b", "c", "a-"])
    for parts in draw(st.lists(st.lists(names, min_size=1, max_size=4), max_size=12)):
        for depth in range(1, len(parts) + 1):
            path = "/" + "/".join(parts[:depth])
            mtime = draw(st.integers(-5, 5))
            entry = Entry(path, EntryType.DIRECTORY, draw(st.integers(0, 0o777)), mtime=mtime)
            file_class = draw(st.sampled_from([FileClass.PACKAGE, FileClass.UNOWNED]))
            rows.setdefault(path, Row(entry, file_class, draw(st.sampled_from(OWNERS))))
    parents = {path.rpartition("/")[0] for path in rows}
    files: list[str] = []
    for path in sorted(rows, key=str.encode):
        row = rows[path]
        if path in parents or draw(st.booleans()):
            continue
        if files and draw(st.booleans()):
            entry = row.entry._replace(type=EntryType.HARDLINK, target=draw(st.sampled_from(files)))
            rows[path] = row._replace(entry=entry)
            continue
        files.append(path)
        entry = row.entry._replace(type=EntryType.FILE, size=draw(st.integers(0, 50)))
        source = draw(st.sampled_from(["deb a:amd64 ./x", "wheel c x", "blob 00"]))
        rows[path] = row._replace(entry=entry, source=source)
    return Tree.of(rows.values()).rows


@given(trees(), st.integers(1, 8))
def test_unpacked_layers_are_the_tree(rows, budget):
    layers = split(rows, GROUPS, budget)
    assert len(layers) <= budget
    merged: dict[str, Row] = {}
    for layer in layers:
        held = {row.entry.path: row for row in layer.rows}
        assert list(held) == sorted(held, key=str.encode)
        assert {path.rpartition("/")[0] for path in held} - {""} <= held.keys()
        assert all(row.entry.target in held for row in layer.rows if row.entry.type == "h")
        merged.update(held)
    assert Tree.of(merged.values()).rows == rows
