"""Layers are kept once, used again when they are sound, and deleted when there is no room."""

from __future__ import annotations

import os

import pytest

from envlock.materialize.image.kept_layers import KeptLayers
from envlock.materialize.image.layers import Layer
from envlock.materialize.image.tar import emit
from envlock.model.tree import Entry, EntryType, FileClass, Row
from envlock.store.gc import collect_garbage
from envlock.store.objects import Store
from tests.unit.materialize.packages import digest

HOUR = 3600


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "store") as opened:
        yield opened


def layer(name, content):
    rows = [
        Row(Entry("/d", EntryType.DIRECTORY, 0o755), FileClass.PACKAGE),
        Row(Entry("/d/empty", EntryType.FILE, sha256=digest(b"")), FileClass.PACKAGE),
        Row(
            Entry(f"/d/{name * 150}", EntryType.FILE, size=len(content), sha256=digest(content)),
            FileClass.PACKAGE,
        ),
    ]
    return Layer(name=name, packages=(f"deb {name}",), rows=tuple(rows))


class Same:
    """The same content for every file."""

    def __init__(self, content):
        self.content = content

    def chunks(self, row):
        return [self.content]


def kept(layers, folder, name, content):
    """Build a layer and keep it; return its file in the layout."""
    built = layer(name, content)
    blob = folder / f"blob-{name}"
    blob.write_bytes(b"".join(emit(built.rows, Same(content))))
    layers.keep(built, name, blob)
    return blob


def read(layers, content):
    reader = layers.find(digest(content))
    return None if reader is None else b"".join(reader())


def test_a_layer_is_kept_by_a_hard_link_and_its_files_are_found(store, tmp_path):
    blob = kept(KeptLayers(store), tmp_path, "a", b"content")
    again = KeptLayers(store)
    assert again.among(["a", "b"])["a"].samefile(blob)
    assert [*again.among(["a", "b"])] == ["a"]
    assert read(again, b"content") == b"content"
    assert read(again, b"other") is None


def test_a_layer_without_packages_is_not_kept(store, tmp_path):
    blob = tmp_path / "blob"
    blob.write_bytes(b"x")
    KeptLayers(store).keep(Layer(name="top", packages=(), rows=()), "top", blob)
    assert list(store.cache.iterdir()) == []


def test_a_layer_that_something_wrote_to_serves_no_files_until_it_is_kept_again(store, tmp_path):
    blob = kept(KeptLayers(store), tmp_path, "a", b"content")
    blob.chmod(0o644)
    with blob.open("r+b") as stream:
        stream.write(b"x")
    assert read(KeptLayers(store), b"content") is None
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    kept(KeptLayers(store), fresh, "a", b"content")
    assert read(KeptLayers(store), b"content") == b"content"
    KeptLayers(store).discard("a")
    assert KeptLayers(store).among(["a"]) == {}


def test_a_second_file_of_a_layer_becomes_the_one_that_is_kept(store, tmp_path):
    first = kept(KeptLayers(store), tmp_path, "a", b"content")
    other = tmp_path / "other"
    other.mkdir()
    second = kept(KeptLayers(store), other, "a", b"content")
    path = KeptLayers(store).among(["a"])["a"]
    assert (first.stat().st_nlink, second.stat().st_nlink) == (1, 2)
    assert path.samefile(second)
    KeptLayers(store).keep(layer("a", b"content"), "a", second)
    assert second.stat().st_nlink == 2
    assert read(KeptLayers(store), b"content") == b"content"
    assert sorted(each.name for each in path.parent.iterdir()) == ["a.members", "a.tar"]


def test_a_layer_that_lost_bytes_unseen_is_discarded(store, tmp_path):
    blob = kept(KeptLayers(store), tmp_path, "a", b"content")
    (layer_file,) = KeptLayers(store).among(["a"]).values()
    stat = layer_file.stat()
    raw = blob.read_bytes()
    blob.chmod(0o644)
    blob.write_bytes(raw.replace(b"content", b"cpntent"))
    os.utime(blob, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert read(KeptLayers(store), b"content") is None
    assert KeptLayers(store).among(["a"]) == {}


def test_a_layer_without_its_table_gets_it_again(store, tmp_path):
    blob = kept(KeptLayers(store), tmp_path, "a", b"content")
    (store.cache / "layers/a.members").unlink()
    assert read(KeptLayers(store), b"content") is None
    KeptLayers(store).keep(layer("a", b"content"), "a", blob)
    assert read(KeptLayers(store), b"content") == b"content"


def test_a_damaged_table_is_as_good_as_none(store, tmp_path):
    kept(KeptLayers(store), tmp_path, "a", b"content")
    (store.cache / "layers/a.members").write_bytes(b"x" * 47)
    assert read(KeptLayers(store), b"content") is None


def test_holes_stay_holes_where_no_link_is_possible(store, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    zeros = bytes(32 << 20)
    kept(KeptLayers(store), tmp_path, "a", zeros)
    path = KeptLayers(store).among(["a"])["a"]
    assert path.stat().st_nlink == 1
    assert path.stat().st_blocks * 512 < 1 << 20
    assert read(KeptLayers(store), zeros) == zeros


def test_of_layers_without_room_those_used_longest_ago_are_deleted(store, tmp_path):
    names = ["a", "b", "c"]
    content = os.urandom(1 << 20)
    for name in names:
        kept(KeptLayers(store), tmp_path, name, name.encode() + content)
    kept(KeptLayers(store), tmp_path, "a", b"a" + content)  # used again
    roomy = KeptLayers(store, room=4 << 20)
    roomy.tidy(())
    assert [*roomy.among(names)] == names
    narrow = KeptLayers(store, room=5 << 19)
    narrow.tidy(())
    assert [*narrow.among(names)] == ["a", "c"]
    assert not (store.cache / "layers/b.members").exists()
    KeptLayers(store, room=0).tidy(["c"])
    assert [*narrow.among(names)] == ["c"]


def test_garbage_collection_deletes_layers_by_their_last_use(store, tmp_path):
    kept(KeptLayers(store), tmp_path, "a", b"content")
    now = (store.cache / "layers/a.tar").stat().st_ctime
    collect_garbage(store, HOUR, clock=lambda: now + HOUR - 60)
    assert read(KeptLayers(store), b"content") == b"content"
    collect_garbage(store, HOUR, clock=lambda: now + HOUR + 60)
    assert KeptLayers(store).among(["a"]) == {}
