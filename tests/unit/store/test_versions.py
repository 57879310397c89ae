"""What travels when the other side has an earlier version, and what is read of it there."""

from __future__ import annotations

import hashlib
import random
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from envlock.errors import StoreError
from envlock.model.splice import kept_digests
from envlock.model.tree import Entry, EntryType, FileClass, Row, Tree
from envlock.store import sent, shipment
from envlock.store.deltas import MAGIC
from envlock.store.frames import frame
from envlock.store.gc import collect_garbage
from envlock.store.manifests import (
    DELTA_TYPE,
    LOCK_TYPE,
    OBJECT_TYPE,
    PACK_TYPE,
    PACKED_OBJECT_TYPE,
    PACKED_TREE_TYPE,
    TREE_TYPE,
    Described,
    has_tree,
    parse_manifest,
)
from envlock.store.objects import Store
from envlock.store.refs import refs
from envlock.store.sent import base_of, recall, remember
from envlock.store.shipment import (
    NOTHING_THERE,
    Base,
    BaseGoneError,
    Blob,
    Extent,
    Shipment,
    pack_shipment,
    ship_again,
)
from envlock.store.unpacking import content_of, is_complete, objects_of, unpack_shipment

NOISE = random.Random(1).randbytes(3 << 20)
FILES = {f"/srv/{n:03}": b"content %d\n" % n * 30 for n in range(200)}
FILES["/var/lib/dpkg/status"] = b"".join(b"Package: p%d\n" % n for n in range(9000))
FILES["/srv/large"] = NOISE[: 1 << 20]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[str], Store]]:
    stores: list[Store] = []

    def go(name: str) -> Store:
        stores.append(Store.open(tmp_path / name))
        return stores[-1]

    yield go
    for store in stores:
        store.close()


class Place:
    """A registry with one repository, which counts the bytes that are read of it."""

    name = "place"

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.layers: tuple[Described, ...] = ()
        self.read = 0

    def take(self, shipped: Shipment) -> int:
        """Take what is not there; return how many bytes that were."""
        before = sum(map(len, self.blobs.values()))
        for blob in shipped.blobs:
            if blob.digest not in self.blobs:
                with blob.open() as stream:
                    self.blobs[blob.digest] = stream.read()
        self.layers = parse_manifest(shipped.manifest, self.name)
        return sum(map(len, self.blobs.values())) - before

    def blob(self, digest: str, size: int) -> Iterator[bytes]:
        content = self.blobs[digest]
        assert len(content) == size
        assert f"sha256:{hashlib.sha256(content).hexdigest()}" == digest
        self.read += size
        yield content

    def piece(self, digest: str, offset: int, size: int) -> bytes:
        self.read += size
        return self.blobs[digest][offset : offset + size]


def tree_of(store: Store, files: Mapping[str, bytes]) -> str:
    rows = []
    for path, content in files.items():
        sha256 = store.put(content)
        entry = Entry(path, EntryType.FILE, 0o644, size=len(content), sha256=sha256)
        rows.append(Row(entry, FileClass.UNOWNED, source=f"blob {sha256}"))
    return store.put_packed(Tree.of(rows).to_bytes())


def pushed(store: Store, place: Place, files: Mapping[str, bytes]) -> tuple[str, int]:
    """Push a version in the way of `envlock push`; return its tree and the bytes that moved."""
    tree = tree_of(store, files)
    base = next((base_of(layers, store) for layers in recall(store, "p", "t")), NOTHING_THERE)
    shipped = pack_shipment(tree.encode(), tree, store, {}, Extent(base=base))
    moved = place.take(shipped)
    remember(store, "p", "t", shipped.manifest)
    return tree, moved


def kinds(place: Place) -> set[str]:
    return {layer.media_type for layer in place.layers}


def changed(number: int) -> dict[str, bytes]:
    status = FILES["/var/lib/dpkg/status"].replace(b"p77\n", b"p77 %d\n" % number)
    return {**FILES, "/srv/007": b"changed %d\n" % number, "/var/lib/dpkg/status": status}


def test_a_small_change_moves_a_delta_and_is_read_with_what_is_there(
    opened: Callable[[str], Store],
) -> None:
    one, two, three, place = opened("one"), opened("two"), opened("three"), Place()
    first, whole = pushed(one, place, FILES)
    assert kinds(place) == {LOCK_TYPE, PACKED_TREE_TYPE, PACK_TYPE, OBJECT_TYPE}
    assert unpack_shipment(place.layers, place, first, two) == 202
    for number in (1, 2, 3):
        tree, moved = pushed(one, place, changed(number))
        assert moved < 1000 < whole / 1000
        assert kinds(place) == {LOCK_TYPE, PACKED_TREE_TYPE, PACK_TYPE, OBJECT_TYPE, DELTA_TYPE}
        assert has_tree(place.layers, tree)
        place.read = 0
        assert unpack_shipment(place.layers, place, tree, two) == 2
        assert place.read < 1000
        assert is_complete(tree, two)
    assert unpack_shipment(place.layers, place, tree, three) == 202
    assert is_complete(tree, three)
    assert unpack_shipment(place.layers, place, tree, three) == 0
    assert {tree, first} <= objects_of(place.layers, place)
    assert kept_digests(one.read(tree))[0] <= objects_of(place.layers, place)


def test_the_earlier_version_again_is_that_version(opened: Callable[[str], Store]) -> None:
    store, place = opened("one"), Place()
    pushed(store, place, FILES)
    before = place.layers
    pushed(store, place, changed(1))
    assert pushed(store, place, FILES)[1] == 0
    assert place.layers == before


def test_a_large_change_travels_whole_and_is_the_next_base(
    opened: Callable[[str], Store],
) -> None:
    store, place = opened("one"), Place()
    pushed(store, place, FILES)
    more = {**FILES, "/srv/more": NOISE[1 << 20 :]}
    pushed(store, place, more)
    assert DELTA_TYPE not in kinds(place)
    tree, moved = pushed(store, place, {**more, "/srv/x": b"x"})
    assert DELTA_TYPE in kinds(place)
    assert moved < 1000
    assert unpack_shipment(place.layers, place, tree, opened("two")) == 204


def test_what_is_of_little_use_is_not_listed_for_ever(opened: Callable[[str], Store]) -> None:
    store, place = opened("one"), Place()
    pushed(store, place, FILES)
    pushed(store, place, {"/srv/large": FILES["/srv/large"]})
    assert DELTA_TYPE not in kinds(place)


def test_a_large_file_that_comes_and_goes(opened: Callable[[str], Store]) -> None:
    """A new one has a blob of its own as long as it is needed; a changed one is in the delta."""
    store, place = opened("one"), Place()
    base = {**FILES, "/srv/huge": NOISE * 2}
    pushed(store, place, base)
    text = b"".join(b"line %d\n" % n for n in range(120_000))
    tree, moved = pushed(store, place, {**base, "/srv/text": text})
    assert PACKED_OBJECT_TYPE in kinds(place)
    assert moved < len(text) / 4
    assert unpack_shipment(place.layers, place, tree, opened("two")) == 204
    new = {**base, "/srv/large": FILES["/srv/large"] + b"end"}
    tree, moved = pushed(store, place, new)
    assert PACKED_OBJECT_TYPE not in kinds(place)
    assert moved < 1000
    assert unpack_shipment(place.layers, place, tree, opened("three")) == 203


def test_a_blob_that_is_gone_is_told(opened: Callable[[str], Store]) -> None:
    store, place = opened("one"), Place()
    pushed(store, place, FILES)
    place.blobs.clear()
    with pytest.raises(BaseGoneError, match="not there any more"):
        pushed(store, place, changed(1))


def test_two_who_push_at_once_make_two_whole_versions(opened: Callable[[str], Store]) -> None:
    """Each knows the same base; the tag has one of them, and both can be read."""
    one, two, place = opened("one"), opened("two"), Place()
    first, _ = pushed(one, place, FILES)
    unpack_shipment(place.layers, place, first, two)
    remember(two, "p", "t", pack_shipment(first.encode(), first, one, {}).manifest)
    made = []
    for number, store in enumerate((one, two)):
        tree, moved = pushed(store, place, changed(number))
        assert moved < 1000
        made.append((tree, place.layers))
    for number, (tree, layers) in enumerate(made):
        assert unpack_shipment(layers, place, tree, opened(f"reader-{number}")) == 202


def test_the_same_lock_is_shipped_as_it_is_there(opened: Callable[[str], Store]) -> None:
    store, place = opened("one"), Place()
    pushed(store, place, FILES)
    tree = pushed(store, place, changed(1))[0]
    again = ship_again(tree.encode(), place.layers, {})
    assert parse_manifest(again.manifest, "x") == place.layers
    assert place.take(again) == 0


def test_since_a_version_without_its_layers(opened: Callable[[str], Store]) -> None:
    one, two, place = opened("one"), opened("two"), Place()
    first, _ = pushed(one, place, FILES)
    unpack_shipment(place.layers, place, first, two)
    tree = tree_of(one, changed(1))
    base = Base(first, kept_digests(one.read(first))[0] | {first})
    shipped = pack_shipment(b"lock", tree, one, {}, Extent(base=base))
    assert shipped.objects == 2
    alone = Place()
    assert alone.take(shipped) < 1000
    assert unpack_shipment(alone.layers, alone, tree, two) == 2
    with pytest.raises(StoreError, match="made against") as caught:
        unpack_shipment(alone.layers, alone, tree, opened("three"))
    assert "--since" in caught.value.hint
    assert not opened("four").has(tree)


def test_shipments_of_before_are_read(opened: Callable[[str], Store]) -> None:
    """Trees and large objects travelled as they are."""
    one, place = opened("one"), Place()
    tree = tree_of(one, FILES)
    shipped = pack_shipment(b"lock", tree, one, {})
    raw = Blob.of(TREE_TYPE, one.read(tree))
    blobs = [raw if blob.media_type == PACKED_TREE_TYPE else blob for blob in shipped.blobs]
    layers = "".join(
        f',{{"mediaType":"{b.media_type}","digest":"{b.digest}","size":{b.size}}}'
        for b in blobs[1:]
    )
    manifest = f'{{"layers":[{layers[1:]}]}}'.encode()
    place.take(Shipment(manifest, tuple(blobs), 0))
    two = opened("two")
    assert unpack_shipment(place.layers, place, tree, two) == 202
    remember(two, "p", "t", manifest)
    assert pushed(two, place, changed(1))[1] < 1000


def layer_of(content: bytes, raw: bytes, size: int) -> tuple[Described, Place]:
    place = Place()
    digest = f"sha256:{hashlib.sha256(raw).hexdigest()}"
    place.blobs[digest] = raw
    sha256 = hashlib.sha256(content).hexdigest()
    return Described(PACKED_OBJECT_TYPE, digest, len(raw), "", sha256, size), place


def test_a_compressed_layer_is_what_its_manifest_states() -> None:
    content = b"content\n" * 1000
    layer, place = layer_of(content, frame(content, 3), len(content))
    assert b"".join(content_of(layer, place)) == content
    bomb = frame(bytes(1 << 26), 3)
    for raw, size in (
        (frame(content[1:] + b"x", 3), len(content)),
        (frame(content, 3), len(content) - 1),
        (frame(content, 3)[:-4], len(content)),
        (bomb, len(content)),
        (b"nothing", len(content)),
    ):
        layer, place = layer_of(content, raw, size)
        with pytest.raises(StoreError, match="an object is damaged") as caught:
            for _ in content_of(layer, place):
                pass
        assert caught.value.hint


def test_a_damaged_delta_reaches_no_store(opened: Callable[[str], Store]) -> None:
    one, place = opened("one"), Place()
    pushed(one, place, FILES)
    tree, _ = pushed(one, place, changed(1))
    delta = next(layer for layer in place.layers if layer.media_type == DELTA_TYPE)
    sound = place.blobs[delta.digest]
    for raw in (sound[:-9], MAGIC, b"", sound[:40] + b"\0" * 9 + sound[49:]):
        layers = place.layers[:-1] if place.layers[-1] == delta else place.layers
        layers = tuple(each for each in layers if each != delta)
        digest = f"sha256:{hashlib.sha256(raw).hexdigest()}"
        place.blobs[digest] = raw
        two = opened(f"two-{len(raw)}")
        with pytest.raises(StoreError):
            unpack_shipment(
                (*layers, delta._replace(digest=digest, size=len(raw))), place, tree, two
            )
        assert not two.has(tree)


def test_the_largest_object_that_is_compressed(opened: Callable[[str], Store]) -> None:
    store = opened("one")
    most = shipment.LARGEST_PACKED
    tree = tree_of(store, {"/a": bytes(most), "/b": bytes(most + 1)})
    shipped = pack_shipment(b"lock", tree, store, {})
    assert {blob.media_type: blob.size for blob in shipped.blobs}[OBJECT_TYPE] == most + 1
    (packed,) = (blob for blob in shipped.blobs if blob.media_type == PACKED_OBJECT_TYPE)
    assert packed.unpacked == most


def test_tags_of_which_it_is_known_what_they_have(opened: Callable[[str], Store]) -> None:
    store = opened("one")
    tree = tree_of(store, FILES)
    manifest = pack_shipment(b"lock", tree, store, {}).manifest
    for number in range(sent.MOST_TAGS + 1):
        other = pack_shipment(b"%d" % number, tree, store, {}).manifest
        remember(store, "p", str(number), other)
    known = [layers[0].content for layers in recall(store, "p", "3")]
    expected = [3, *(n for n in range(sent.MOST_TAGS, 0, -1) if n != 3)]
    assert known == [hashlib.sha256(b"%d" % number).hexdigest() for number in expected]
    (store.cache / "sent").chmod(0o700)
    for path in (store.cache / "sent").iterdir():
        path.write_bytes(b"damaged")
    assert not list(recall(store, "p", "3"))
    remember(store, "p", "t", manifest)
    assert len(list(recall(store, "p", "3"))) == 1


def test_garbage_collection_forgets_versions_that_were_not_used(
    opened: Callable[[str], Store],
) -> None:
    store, place = opened("one"), Place()
    tree, _ = pushed(store, place, FILES)
    assert collect_garbage(store, 3600).removed == 0
    assert next(recall(store, "p", "t"))
    assert store.has(tree)
    assert collect_garbage(store, -1).kept == 0
    assert not refs(store)
    assert not list(recall(store, "p", "t"))
    shutil.rmtree(store.cache / "sent", ignore_errors=True)
    pushed(store, place, FILES)
    shutil.rmtree(store.cache / "sent")
    assert collect_garbage(store, 3600).removed == 0, "what it keeps is too young"
    assert [ref.name for ref in refs(store)] == ["sent p"]
