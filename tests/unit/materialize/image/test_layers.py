"""Packages become layers, and layers become the tree again."""

from __future__ import annotations

import pytest

from envlock.errors import MaterializeError
from envlock.materialize.image.layers import package_groups, split
from envlock.materialize.image.oci import recipe_of
from envlock.model.lock import Lock
from envlock.model.record import Record
from envlock.model.tree import Entry, EntryType, FileClass, Row, Tree


def package(path, owner, size=1, *, sha256="aa", mtime=10):
    section, _, name = owner.partition(" ")
    source = f"{'deb' if section == 'deb' else 'wheel'} {name} {path}"
    entry = Entry(path, EntryType.FILE, 0o644, mtime=mtime, size=size, sha256=sha256)
    return Row(entry, FileClass.PACKAGE, owner, source)


def directory(path, mtime=500, owner="", file_class=FileClass.UNOWNED):
    return Row(Entry(path, EntryType.DIRECTORY, 0o755, mtime=mtime), file_class, owner)


def value(path, size=1):
    return Row(
        Entry(path, EntryType.FILE, 0o600, mtime=20, size=size, sha256="bb"),
        FileClass.UNOWNED,
        "",
        "blob bb",
    )


GROUPS = {
    "deb libc6:amd64": "deb glibc",
    "deb libc-bin:amd64": "deb glibc",
    **{f"deb p{n}:amd64": f"deb p{n}" for n in range(20)},
    **{f"python app/w{n}": f"python app/w{n}" for n in range(20)},
}


def sample(**changed):
    rows = [
        *(directory(path) for path in ("/etc", "/lib", "/opt", "/opt/app")),
        directory("/lib/empty", 7, "deb libc6:amd64", FileClass.PACKAGE),
        package("/lib/libc.so", "deb libc6:amd64", 900),
        package("/lib/ldconfig", "deb libc-bin:amd64", 50),
        *(
            package(f"/lib/p{n}", f"deb p{n}:amd64", 10 + n, **changed.get(f"p{n}", {}))
            for n in range(20)
        ),
        *(package(f"/opt/app/w{n}", f"python app/w{n}", 100 + n) for n in range(20)),
        value("/etc/passwd"),
    ]
    return Tree.of(rows).rows


def overlay(layers):
    """Unpack layers as an engine does: the later one wins, path by path."""
    merged = {}
    for layer in layers:
        merged.update((row.entry.path, row) for row in layer.rows)
    return Tree.of(merged.values()).rows


@pytest.mark.parametrize("budget", [1, 2, 3, 4, 10, 43, 127])
def test_layers_together_are_the_tree(budget):
    layers = split(sample(), GROUPS, budget)
    assert len(layers) <= budget
    assert overlay(layers) == sample()


def test_large_groups_have_their_own_layer_the_rest_share_some():
    layers = split(sample(), GROUPS, 6, large=115)
    assert [(layer.name, len(layer.packages)) for layer in layers] == [
        ("deb glibc", 1),
        ("deb (1 of 1)", 20),
        ("python app/w19", 1),
        ("python (1 of 1)", 19),
        ("top", 0),
    ]
    glibc = [row.entry.path for row in layers[0].rows]
    assert glibc == ["/lib", "/lib/empty", "/lib/ldconfig", "/lib/libc.so"]


def test_no_package_moves_because_of_another():
    """Packages that come, go or grow change their own layer and that which they were in."""
    before = {layer.name: layer for layer in split(sample(), GROUPS, 40, large=115)}
    assert len(before) > 12
    rows = [row for row in sample() if row.owner != "deb p7:amd64"]
    rows = [
        r._replace(entry=r.entry._replace(size=200)) if r.owner.endswith("/w3") else r for r in rows
    ]
    rows.append(package("/lib/new", "deb new:amd64", 300))
    groups = {**GROUPS, "deb new:amd64": "deb new"}
    after = {layer.name: layer for layer in split(Tree.of(rows).rows, groups, 40, large=115)}
    touched = {"deb p7", "python app/w3"}
    expected = {name for name, layer in before.items() if touched & {*layer.packages}}
    changed = {n for n in before if n not in after or recipe_of(after[n]) != recipe_of(before[n])}
    assert changed == expected
    assert after.keys() - before.keys() == {"deb new", "python app/w3"}


@pytest.mark.parametrize("kinds", [1, 2, 3, 5])
@pytest.mark.parametrize("budget", range(1, 14))
def test_the_budget_is_never_exceeded(budget, kinds):
    sections = [f"kind{n}" for n in range(kinds)]
    groups = {f"{s} p{n}": f"{s} p{n}" for s in sections for n in range(30)}
    rows = [
        package(f"/{owner.replace(' ', '-')}", owner, size) for size, owner in enumerate(groups, 1)
    ]
    tree = Tree.of([*rows, value("/x")]).rows
    layers = split(tree, groups, budget, large=1)
    assert len(layers) <= budget
    assert overlay(layers) == tree


def test_every_layer_holds_the_directories_above_its_paths():
    for layer in split(sample(), GROUPS, 10):
        held = {row.entry.path for row in layer.rows}
        parents = {path.rpartition("/")[0] for path in held} - {""}
        assert parents <= held


def test_an_update_changes_its_own_layer_only():
    before = split(sample(), GROUPS, 10)
    after = split(sample(p3={"sha256": "cc", "mtime": 400}), GROUPS, 10)
    changed = [a.name for a, b in zip(after, before, strict=True) if recipe_of(a) != recipe_of(b)]
    (name,) = changed
    assert "deb p3" in next(layer.packages for layer in after if layer.name == name)


def test_changed_and_unowned_content_is_on_top():
    modified = Row(
        Entry("/lib/p1.conf", EntryType.FILE, size=1),
        FileClass.CONFFILE_MODIFIED,
        "deb p1:amd64",
        "blob bb",
    )
    stranger = package("/lib/x", "deb stranger:amd64")
    top = split(Tree.of([*sample(), modified, stranger]).rows, GROUPS, 10)[-1]
    assert {"/lib/p1.conf", "/lib/x", "/etc/passwd"} <= {row.entry.path for row in top.rows}


def test_what_another_package_has_by_chance_is_on_top():
    other = package("/opt/app/INSTALLER", "python app/w1")
    other = other._replace(source="wheel app/pip top_level.txt")
    empty = package("/opt/app/REQUESTED", "python app/w1", 0)._replace(
        file_class=FileClass.GENERATED
    )
    shipped = package("/opt/app/__init__", "python app/w1", 0)
    layers = split(Tree.of([*sample(), other, empty, shipped]).rows, GROUPS)
    top = {row.entry.path for row in layers[-1].rows}
    assert {"/opt/app/INSTALLER", "/opt/app/REQUESTED"} <= top
    assert "/opt/app/__init__" not in top


def test_hard_links_stay_with_their_file():
    link = Row(Entry("/opt/link", EntryType.HARDLINK, target="/lib/libc.so"), FileClass.UNOWNED)
    layers = split(Tree.of([*sample(), link]).rows, GROUPS, 10)
    (packages,) = [layer.packages for layer in layers if link in layer.rows]
    assert "deb glibc" in packages


def test_no_rows_give_no_layers():
    assert split((), GROUPS) == ()


@pytest.mark.parametrize("budget", [0, 128])
def test_a_budget_that_no_engine_can_stack_is_refused(budget):
    with pytest.raises(MaterializeError, match="1 to 127"):
        split(sample(), GROUPS, budget)


def test_groups_are_source_packages_and_distributions():
    lock = Lock.of(
        [
            Record("deb", "libssl3:amd64", {"version": "3", "source": "openssl"}),
            Record("deb", "bash:amd64", {"version": "5"}),
            Record("python", "app/numpy", {"version": "2"}),
        ]
    )
    assert package_groups(lock) == {
        "deb bash:amd64": "deb bash",
        "deb libssl3:amd64": "deb openssl",
        "python app/numpy": "python app/numpy",
    }
