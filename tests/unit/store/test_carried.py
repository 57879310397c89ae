"""Objects beside locks: written within a limit, verified, and dropped when no lock needs them."""

from __future__ import annotations

import hashlib
import random
import struct
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from envlock.errors import StoreError
from envlock.model.tree import Entry, EntryType, FileClass, Row, Tree
from envlock.store import carried
from envlock.store.carried import (
    CarriedObjects,
    drop_unneeded,
    files_of,
    problem_of,
    write_files,
)
from envlock.store.manifests import PACK_TYPE
from envlock.store.objects import Store
from envlock.store.packs import MAGIC, read_object, read_table
from envlock.store.shipment import MOST_HELD, Blob, Shipment, pack_shipment
from envlock.store.unpacking import is_complete, unpack_shipment

LIMIT = 4 << 20


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store") as opened:
        yield opened


def a_tree(store: Store, *contents: bytes) -> str:
    """Store a tree of files with these contents; return its digest."""
    rows = []
    for number, content in enumerate(contents):
        sha256 = store.put(content)
        entry = Entry(f"/{number:04}", EntryType.FILE, 0o644, size=len(content), sha256=sha256)
        rows.append(Row(entry, FileClass.UNOWNED, source=f"blob {sha256}"))
    return store.put_packed(Tree(tuple(rows)).to_bytes())


def shipped(store: Store, *contents: bytes) -> tuple[str, Shipment]:
    tree = a_tree(store, *contents)
    return tree, pack_shipment(b"lock", tree, store, {})


def carry(folder: Path, shipment: Shipment) -> None:
    files = files_of(shipment, folder, LIMIT)
    assert files is not None
    write_files(folder, files)


SMALL = tuple(f"content {number}\n".encode() * 9 for number in range(300))
LARGE = random.Random(1).randbytes(1 << 20)


def test_what_is_carried_fills_another_store(store: Store, tmp_path: Path) -> None:
    tree, shipment = shipped(store, *SMALL, LARGE)
    folder = tmp_path / "objects"
    carry(folder, shipment)
    assert problem_of(folder, tree) == ""
    origin = CarriedObjects(folder)
    with Store.open(tmp_path / "other") as other:
        assert not is_complete(tree, other)
        assert unpack_shipment(origin.layers(tree), origin, tree, other) == 301
        assert is_complete(tree, other)
        assert unpack_shipment(origin.layers(tree), origin, tree, other) == 0


def test_the_limit_counts_what_is_written(store: Store, tmp_path: Path) -> None:
    _, shipment = shipped(store, *SMALL, LARGE)
    files = files_of(shipment, tmp_path, LIMIT)
    assert files is not None
    size = sum(map(len, files.values()))
    assert files_of(shipment, tmp_path, size) == files
    assert files_of(shipment, tmp_path, size - 1) is None


def test_every_missing_or_damaged_file_is_found_and_mended(store: Store, tmp_path: Path) -> None:
    tree, shipment = shipped(store, *SMALL, LARGE)
    folder = tmp_path / "objects"
    carry(folder, shipment)
    paths = sorted(folder.iterdir())
    assert len(paths) > 4
    for path in paths:
        content = path.read_bytes()
        path.unlink()
        assert problem_of(folder, tree)
        for place in range(0, len(content), max(1, len(content) // 40)):
            flipped = bytearray(content)
            flipped[place] ^= 1
            path.write_bytes(flipped)
            assert problem_of(folder, tree), (path.suffix, place)
        path.write_bytes(content[:-9])
        assert problem_of(folder, tree)
        carry(folder, shipment)
        assert path.read_bytes() == content
        assert problem_of(folder, tree) == ""


def test_damage_never_reaches_a_store(store: Store, tmp_path: Path) -> None:
    tree, shipment = shipped(store, *SMALL)
    folder = tmp_path / "objects"
    carry(folder, shipment)
    pack = next(folder.glob("*.pack"))
    pack.write_bytes(pack.read_bytes()[:-1] + b"\0")
    origin = CarriedObjects(folder)
    with Store.open(tmp_path / "other") as other:
        with pytest.raises(StoreError):
            unpack_shipment(origin.layers(tree), origin, tree, other)
        assert not is_complete(tree, other)


def test_a_pack_of_the_same_objects_is_not_written_again(store: Store, tmp_path: Path) -> None:
    """Another version of zstd gives other bytes for the same objects."""
    _, shipment = shipped(store, b"a" * 5000, b"b" * 5000)
    carry(tmp_path, shipment)
    before = {path.name for path in tmp_path.iterdir()}
    blobs = []
    for blob in shipment.blobs:
        with blob.open() as stream:
            content = stream.read()
        is_pack = blob.media_type == PACK_TYPE
        blobs.append(Blob.of(blob.media_type, with_other_level(content)) if is_pack else blob)
    assert blobs != list(shipment.blobs)
    carry(tmp_path, shipment._replace(blobs=tuple(blobs)))
    assert {path.name for path in tmp_path.iterdir()} == before


def with_other_level(pack: bytes) -> bytes:
    """Return a pack of the same objects, as they are."""

    def read(offset: int, size: int) -> bytes:
        return pack[offset : offset + size]

    contents = {each.sha256: read_object(read, each) for each in read_table(read)}
    offset = len(MAGIC) + 4 + 57 * len(contents)
    rows = b""
    for sha256, content in sorted(contents.items()):
        rows += struct.pack(
            ">32sQQQB", bytes.fromhex(sha256), offset, len(content), len(content), 0
        )
        offset += len(content)
    ordered = (content for _, content in sorted(contents.items()))
    return MAGIC + struct.pack(">I", len(contents)) + rows + b"".join(ordered)


def test_what_no_tree_needs_is_dropped(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "objects"
    old_tree, old = shipped(store, *SMALL, LARGE)
    tree, new = shipped(store, *SMALL[1:], b"another\n")
    carry(folder, old)
    (folder / "README").write_text("ours\n")
    carry(folder, new)
    for trees in ({old_tree, tree}, {old_tree, tree, "0" * 64}):
        assert drop_unneeded(folder, trees).removed == 0
    expected = {*(files_of(new, tmp_path / "none", LIMIT) or ()), "README"}
    done = drop_unneeded(folder, {tree})
    assert {path.name for path in folder.iterdir()} == expected
    assert done.kept == len(expected) - 1
    assert done.removed >= 3  # the tree, the large object, and at least one pack
    assert problem_of(folder, tree) == ""
    assert drop_unneeded(folder, set()).kept == 0


def test_nothing_is_dropped_where_a_tree_cannot_be_read(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "objects"
    tree, shipment = shipped(store, *SMALL)
    carry(folder, shipment)
    (folder / f"{tree}.zst").write_bytes(b"nothing")
    (folder / f"{'0' * 64}.zst").write_bytes(b"nothing")
    before = {path.name for path in folder.iterdir()}
    with pytest.raises(StoreError):
        drop_unneeded(folder, {tree})
    assert {path.name for path in folder.iterdir()} == before


def test_too_many_files_beside_the_locks(tmp_path: Path) -> None:
    for number in range(carried.MOST_FILES):
        (tmp_path / f"{number:064x}.pack").touch()
    origin = CarriedObjects(tmp_path)
    assert len(origin.layers("")) == carried.MOST_FILES
    (tmp_path / f"{carried.MOST_FILES:064x}.pack").touch()
    with pytest.raises(StoreError):
        origin.layers("")


def test_a_pack_that_is_too_large_beside_the_locks(tmp_path: Path) -> None:
    path = tmp_path / f"{'0' * 64}.pack"
    with path.open("wb") as stream:
        stream.truncate(carried.LARGEST_PACK_FILE + 1)
    origin = CarriedObjects(tmp_path)
    with pytest.raises(StoreError) as caught:
        list(origin.blob(f"sha256:{'0' * 64}", carried.LARGEST_PACK_FILE + 1))
    assert "larger than" in str(caught.value)
    with path.open("wb") as stream:
        stream.truncate(carried.LARGEST_PACK_FILE)
    with pytest.raises(StoreError) as caught:
        list(origin.blob(f"sha256:{'0' * 64}", carried.LARGEST_PACK_FILE))
    assert "does not match" in str(caught.value)


def test_few_packs_are_kept_in_memory(store: Store) -> None:
    numbers = random.Random(2)
    tree = a_tree(store, *(numbers.randbytes(900_000) for _ in range(140)))
    tracemalloc.start()
    shipment = pack_shipment(b"lock", tree, store, {})
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    packs = [blob for blob in shipment.blobs if blob.media_type == PACK_TYPE]
    assert sum(blob.size for blob in packs) > 120e6
    assert held < MOST_HELD + (8 << 20)
    for blob in packs:
        with blob.open() as stream:
            assert f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}" == blob.digest
