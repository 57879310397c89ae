"""A lock with a Debian package, a wheel and a changed file becomes an image, or lists why not."""

from __future__ import annotations

import io
import json
import tarfile

import pytest

from envlock.errors import MaterializeError
from envlock.materialize.artifacts.obtain import SourceOptions
from envlock.materialize.assemble import (
    BuildOptions,
    assemble,
    in_image,
    layout_directory,
    with_sources_of,
)
from envlock.materialize.image.oci import blob_path
from envlock.materialize.tree.rules import user_rule
from envlock.model.lock import Lock
from envlock.model.tree import Entry, EntryType, FileClass, Row, Tree
from envlock.store.objects import Store
from tests.unit.materialize.packages import deb_bytes, digest, write_wheel

TOOL, MODULE, VALUE = b"#!/bin/sh\n", b"x = 1\n", b"changed\n"
WHEEL = "a-1-py3-none-any.whl"
EPOCH = 1_600_000_000


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def packages(tmp_path):
    """Return a directory with both packages."""
    directory = tmp_path / "packages"
    directory.mkdir()
    (directory / "tool_1_all.deb").write_bytes(deb_bytes({"./usr/bin/tool": TOOL}))
    write_wheel(directory / WHEEL, {"a.py": MODULE})
    return directory


def lock(packages=None):
    """Return the lock; with the directory of the packages it states their digests."""
    deb, wheel = {"version": "1"}, {"version": "1", "artifact": WHEEL}
    if packages:
        deb["sha256"] = digest((packages / "tool_1_all.deb").read_bytes())
        wheel["sha256"] = digest((packages / WHEEL).read_bytes())
    return Lock(
        sections={
            "deb": {"tool:all": deb},
            "os": {"": {"arch": "amd64"}},
            "python": {"app/a": wheel},
        }
    )


def file(path, content, source, owner="", file_class=FileClass.PACKAGE, mtime=EPOCH):
    entry = Entry(
        path, EntryType.FILE, 0o644, mtime=mtime, size=len(content), sha256=digest(content)
    )
    return Row(entry, file_class, owner, source)


def directory(path):
    return Row(Entry(path, EntryType.DIRECTORY, 0o755, mtime=EPOCH + 9), FileClass.PACKAGE)


TREE = Tree.of(
    [
        *map(directory, ("/etc", "/srv", "/usr", "/usr/bin", "/usr/share")),
        file("/etc/value", VALUE, f"blob {digest(VALUE)}", "", FileClass.UNOWNED, EPOCH + 5),
        file("/srv/a.py", MODULE, "wheel app/a a.py", "python app/a", mtime=EPOCH + 5),
        file("/srv/token", b"secret", "observed", "", FileClass.SECRET),
        file("/usr/bin/tool", TOOL, "deb tool:all usr/bin/tool", "deb tool:all"),
    ]
)


def build(store, directory, described, tree=TREE, *, places=(), **options):
    sources = SourceOptions(offline=True, directories=places)
    build_options = BuildOptions(directory=directory, sources=sources, **options)
    return assemble(described, b"the lock", tree, store, build_options, lambda *_: None)


def content(layout, built):
    """Return path -> content of the files of all layers."""
    found = {}
    for layer in built.layers:
        with tarfile.open(fileobj=io.BytesIO(blob_path(layout, layer.diff_id).read_bytes())) as tar:
            for member in tar:
                if member.isreg():
                    found[f"/{member.name}"] = (tar.extractfile(member).read(), member.mtime)
    return found


def test_an_image_has_the_files_of_the_lock(store, packages, tmp_path):
    store.put(VALUE)
    done = build(store, tmp_path / "out", lock(packages), places=(packages,))
    assert content(tmp_path / "out", done.built) == {
        "/etc/value": (VALUE, EPOCH + 5),
        "/srv/a.py": (MODULE, 315_619_200),
        "/usr/bin/tool": (TOOL, EPOCH),
        "/usr/share/envlock/lock": (b"the lock", EPOCH),
    }
    assert [layer.packages for layer in done.built.layers] == [("deb tool",), ("python app/a",), ()]
    assert [*done.normalised.warnings] == ["/srv/token"]
    assert (done.downloaded, done.reused) == (0, 2)


def test_flattened_times_are_no_newer_than_a_package_and_the_image_says_so(
    store, packages, tmp_path
):
    store.put(VALUE)
    options = {"places": (packages,)}
    flat = build(store, tmp_path / "flat", lock(packages), flatten_times=True, **options)
    assert content(tmp_path / "flat", flat.built)["/etc/value"] == (VALUE, EPOCH)
    kept = build(store, tmp_path / "kept", lock(packages), **options)
    labels = [
        json.loads(blob_path(tmp_path / name, done.built.config_digest).read_bytes())["config"]
        for name, done in (("flat", flat), ("kept", kept))
    ]
    assert ["io.envlock.flattened-times" in each["Labels"] for each in labels] == [True, False]


def test_the_same_lock_gives_the_same_image(store, packages, tmp_path):
    store.put(VALUE)
    options = {"places": (packages,)}
    first = build(store, tmp_path / "one", lock(packages), **options)
    with layout_directory(store) as passing:
        assert build(store, passing, lock(packages), **options).built == first.built
    assert not passing.parent.exists()
    again = build(store, tmp_path / "two", lock(packages), jobs=1, **options)
    assert again.built == first.built


def test_layers_of_packages_are_on_the_disk_once(store, packages, tmp_path):
    store.put(VALUE)
    done = build(store, tmp_path / "out", lock(packages), places=(packages,))
    shared = [blob_path(tmp_path / "out", layer.diff_id) for layer in done.built.layers]
    assert [path.stat().st_nlink for path in shared] == [2, 2, 1], "the top layer has no package"
    assert [path.stat().st_mode & 0o222 for path in shared[:2]] == [0, 0]
    build(store, tmp_path / "two", lock(packages), places=(packages,))
    assert [path.stat().st_nlink for path in shared] == [3, 3, 1]
    assert sorted(path.name for path in store.cache.iterdir()) == ["artifacts", "layers", "members"]


def test_files_of_an_earlier_image_serve_one_with_other_layers(store, packages, tmp_path):
    store.put(VALUE)
    options = {"places": (packages,)}
    build(store, tmp_path / "out", lock(packages), **options)
    done = build(store, tmp_path / "flat", lock(packages), layers=1, **options)
    assert content(tmp_path / "flat", done.built)["/usr/bin/tool"] == (TOOL, EPOCH)


def test_who_edits_an_output_damages_no_later_image(store, packages, tmp_path):
    store.put(VALUE)
    options = {"places": (packages,)}
    first = build(store, tmp_path / "out", lock(packages), **options).built
    for layer in first.layers:
        path = blob_path(tmp_path / "out", layer.diff_id)
        path.chmod(0o644)
        path.write_bytes(path.read_bytes().replace(TOOL, TOOL[::-1]).replace(MODULE, MODULE[::-1]))
    flat = build(store, tmp_path / "flat", lock(packages), layers=1, **options).built
    assert content(tmp_path / "flat", flat)["/usr/bin/tool"] == (TOOL, EPOCH)
    assert build(store, tmp_path / "again", lock(packages), **options).built == first
    assert content(tmp_path / "again", first)["/usr/bin/tool"] == (TOOL, EPOCH)
    assert build(store, tmp_path / "out", lock(packages), **options).built == first
    assert content(tmp_path / "out", first)["/usr/bin/tool"] == (TOOL, EPOCH)


def test_every_reason_is_reported_and_nothing_is_written(store, packages, tmp_path):
    (packages / WHEEL).unlink()
    (packages / "tool_1_all.deb").write_bytes(deb_bytes({"./usr/bin/other": b"x"}))
    with pytest.raises(MaterializeError) as caught:
        build(store, tmp_path / "out", lock(), places=(packages,))
    assert caught.value.message == "cannot rebuild: 3 problems; nothing was written"
    assert caught.value.blockers == (
        f"/etc/value: its content (sha256:{digest(VALUE)[:12]}) is not in this store",
        f"wheel {WHEEL}: in no source",
        "/usr/bin/tool: deb tool:all 1 does not contain it",
        f"asked for wheel: envlock's cache, {packages}, pip's cache",
    )
    assert "materialize.wheels" in caught.value.hint
    assert not (tmp_path / "out").exists()


def test_a_wrong_file_without_a_locked_digest_leaves_the_cache(store, packages, tmp_path):
    store.put(VALUE)
    cache = store.cache / "artifacts"
    cache.mkdir()
    (cache / "tool_1_all.deb").write_bytes(deb_bytes({"./usr/bin/other": b"x"}))
    write_wheel(cache / WHEEL, {"a.py": MODULE})
    with pytest.raises(MaterializeError, match="1 problem;") as caught:
        build(store, tmp_path / "out", lock())
    assert caught.value.hint == "capture again, or materialize where it was captured"
    assert [path.name for path in cache.iterdir()] == [WHEEL]
    assert build(store, tmp_path / "out", lock(), places=(packages,)).reused == 2


def test_content_in_the_store_needs_no_package(store, tmp_path):
    for value in (VALUE, TOOL, MODULE):
        store.put(value)
    done = build(store, tmp_path / "out", lock())
    assert (done.downloaded, done.reused) == (0, 0)
    assert content(tmp_path / "out", done.built)["/usr/bin/tool"] == (TOOL, EPOCH)


def test_rules_of_the_user_apply(store, packages, tmp_path):
    options = {"places": (packages,), "user_rules": (user_rule("/etc/value"),)}
    done = build(store, tmp_path / "out", lock(packages), **options)
    assert "/etc/value" not in content(tmp_path / "out", done.built)


def test_the_tree_of_an_image_is_without_its_lock(store):
    share = [directory("/usr/share/envlock"), file("/usr/share/envlock/lock", b"old", "")]
    captured = Tree.of([*TREE.rows, *share])
    found = in_image(captured, EPOCH, store)
    assert [row.entry.path for row in found.rows] == [
        row.entry.path for row in TREE.rows if row.entry.path != "/srv/token"
    ]


def test_an_image_is_compared_by_the_sources_of_its_lock():
    known = Tree((file("/a.py", MODULE, f"blob {digest(MODULE)}", mtime=5),))
    seen = Tree((file("/a.py", MODULE, "wheel app/a a.py", mtime=7),))
    assert [row.source for row in with_sources_of(known, seen).rows] == [f"blob {digest(MODULE)}"]
    assert [row.entry.mtime for row in with_sources_of(known, seen).rows] == [7]
    edited = Tree((file("/a.py", VALUE, "wheel app/a a.py"),))
    hidden = Tree((file("/a.py", MODULE, "observed"),))
    for other in (edited, hidden):
        assert with_sources_of(known, other) == other
    assert with_sources_of(seen, known) == known, "its time must be checked"
