"""What is read of a shipment is bounded, whatever its manifest, its packs or its bundle say."""

from __future__ import annotations

import io
import json
import struct
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from envlock.errors import LockfileError, StoreError
from envlock.store import bundle, manifests, packs
from envlock.store.bundle import Bundle
from envlock.store.manifests import LOCK_TYPE, TREE_TYPE, Described, parse_manifest
from envlock.store.packs import PackError, read_table
from envlock.store.unpacking import read_tree_of

DIGEST = f"sha256:{'0' * 64}"


def manifest(count: int, size: int = 1) -> bytes:
    """Return a manifest of `count` layers of `size` bytes, of which the first is a lock."""
    layer = {"mediaType": LOCK_TYPE, "digest": DIGEST, "size": size}
    return json.dumps({"layers": [layer] * count}).encode()


def test_blobs_of_a_shipment() -> None:
    assert len(parse_manifest(manifest(manifests.MOST_BLOBS), "x")) == manifests.MOST_BLOBS
    with pytest.raises(LockfileError):
        parse_manifest(manifest(manifests.MOST_BLOBS + 1), "x")


def test_the_lock_of_a_shipment() -> None:
    parse_manifest(manifest(1, manifests.LARGEST_LOCK), "x")
    with pytest.raises(LockfileError):
        parse_manifest(manifest(1, manifests.LARGEST_LOCK + 1), "x")


class Asked:
    """An origin that notes whether it was asked for a blob."""

    name = "asked"
    count = 0

    def blob(self, digest: str, size: int) -> Iterator[bytes]:
        self.count += 1
        yield b"content"

    def piece(self, digest: str, offset: int, size: int) -> bytes:
        raise AssertionError


def test_the_tree_of_a_shipment() -> None:
    origin = Asked()
    largest = Described(TREE_TYPE, DIGEST, manifests.LARGEST_TREE, content="0" * 64)
    assert read_tree_of((largest,), origin, "0" * 64) == b"content"
    with pytest.raises(StoreError):
        read_tree_of((largest._replace(size=largest.size + 1),), origin, "0" * 64)
    assert origin.count == 1


def table(count: int) -> bytes:
    """Return a pack of `count` empty objects."""
    end = len(packs.MAGIC) + 4 + 57 * count
    rows = (struct.pack(">32sQQQB", n.to_bytes(32, "big"), end, 0, 0, 0) for n in range(count))
    return packs.MAGIC + struct.pack(">I", count) + b"".join(rows)


def test_objects_of_a_pack() -> None:
    raw = table(packs.MOST_OBJECTS)
    assert len(read_table(lambda at, size: raw[at : at + size])) == packs.MOST_OBJECTS
    more = table(packs.MOST_OBJECTS + 1)
    with pytest.raises(PackError, match="more than"):
        read_table(lambda at, size: more[at : at + size])


def a_bundle(path: Path, members: int, size: int = 0) -> Path:
    """Write a bundle of so many files, whose index names a manifest of `size` bytes."""
    entry = {"artifactType": manifests.ARTIFACT_TYPE, "digest": DIGEST, "size": size}
    index = json.dumps({"manifests": [entry]}).encode()
    info = tarfile.TarInfo("index.json")
    info.size = len(index)
    with path.open("wb") as stream:
        stream.writelines(headers(members - 1))
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            archive.addfile(info, io.BytesIO(index))
    return path


def headers(count: int) -> Iterator[bytes]:
    """Yield so many headers of empty files with different names; tarfile takes seconds for them."""
    first = bytearray(tarfile.TarInfo("blobs/00000000").tobuf(tarfile.USTAR_FORMAT))
    total = sum(first[:148]) + 8 * 32 + sum(first[156:]) - 8 * ord("0")
    for number in range(count):
        name = b"%08d" % number
        first[6:14] = name
        first[148:156] = b"%06o\0 " % (total + sum(name))
        yield bytes(first)


def test_files_of_a_bundle(tmp_path: Path) -> None:
    with Bundle(a_bundle(tmp_path / "a", bundle.MOST_MEMBERS)):
        pass
    with pytest.raises(StoreError, match="more than"):
        Bundle(a_bundle(tmp_path / "b", bundle.MOST_MEMBERS + 1))


def test_the_manifest_of_a_bundle(tmp_path: Path) -> None:
    most = bundle.LARGEST_MANIFEST
    for size, told in ((most, "is not in it"), (most + 1, "too large")):
        with (
            Bundle(a_bundle(tmp_path / f"{size}", 2, size)) as opened,
            pytest.raises(StoreError, match=told),
        ):
            opened.manifest()
