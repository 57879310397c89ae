"""What is kept of the layers of images is bounded, and holds nothing that a lock must not hold."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from envlock.capture.known_layers import (
    CONTENT_BYTES,
    DEFAULT_BOUNDS,
    MOST_MISSES,
    MOST_PATHS,
    Bounds,
    KnownLayers,
    UnreadFileError,
)
from envlock.capture.request import Request
from envlock.model.tree import Entry, EntryType, FileClass, Row, Tree
from envlock.store.known import layer_path
from envlock.store.objects import Store
from envlock.targets.stream.known_layer import KnownLayer

DIGEST = f"sha256:{'1' * 64}"
FILE = EntryType.FILE


def file(path: str, content: bytes) -> Entry:
    return Entry(path, FILE, 0o644, size=len(content), sha256=hashlib.sha256(content).hexdigest())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store") as opened:
        yield opened


class Target:
    """What is kept of a target in memory for collectors."""

    def __init__(self, contents: dict[str, bytes]) -> None:
        self._contents = contents

    def content_of(self, path: str) -> bytes | None:
        return self._contents.get(path)


def save(
    store: Store,
    contents: dict[str, bytes],
    *more: Entry,
    source: str = "deb app {}",
    bounds: Bounds = DEFAULT_BOUNDS,
    is_settled: bool = True,
) -> KnownLayers:
    """Keep a layer of files, and return what is known then."""
    entries = [file(path, content) for path, content in contents.items()]
    layers = KnownLayers(store, Request(), bounds)
    layers.note(DIGEST, KnownLayer([*entries, *more], {}, ()))
    settled = [e if is_settled else e._replace(sha256="") for e in entries]
    rows = tuple(Row(e, FileClass.PACKAGE, "deb app", source.format(e.path)) for e in settled)
    layers.save(Tree(rows), Target(contents))  # type: ignore[arg-type]
    return KnownLayers(store, Request(), bounds)


def test_what_a_package_has_published_is_kept_with_its_content(store: Store) -> None:
    layers = save(store, {"/a": b"one", "/b": b"two"})
    known = layers.layer(DIGEST)
    assert known is not None
    assert [layers.content(entry) for entry in known.entries] == [b"one", b"two"]


@pytest.mark.parametrize("source", ["blob 0", "redacted 0", "observed", "observed a-rule", ""])
def test_content_that_no_package_has_is_not_kept(store: Store, source: str) -> None:
    layers = save(store, {"/a": b"one"}, source=source)
    known = layers.layer(DIGEST)
    assert known is not None
    assert layers.content(known.entries[0]) is None


def test_a_digest_that_no_lock_has_is_not_kept(store: Store) -> None:
    layers = save(store, {"/a": b"one"}, is_settled=False)
    known = layers.layer(DIGEST)
    assert known is not None
    assert not known.entries[0].sha256


@pytest.mark.plants_secrets("in the name of a file and in a link, of which nothing is kept")
@pytest.mark.parametrize("place", ["name", "link"])
def test_a_layer_with_a_secret_in_a_name_is_not_kept(store: Store, place: str) -> None:
    token = "ghp_" + "a1B2c3D4" * 4 + "e5F6"
    odd = file(f"/{token}", b"x")
    if place == "link":
        odd = Entry("/link", EntryType.SYMLINK, 0o777, target=f"https://anna:{token}@host/x")
    assert save(store, {"/a": b"one"}, odd).layer(DIGEST) is None


def test_a_path_that_is_there_twice_is_not_kept(store: Store) -> None:
    assert save(store, {"/a": b"one"}, file("/a", b"two")).layer(DIGEST) is None


def test_a_layer_of_too_many_members_is_not_kept(store: Store) -> None:
    assert Bounds().paths == MOST_PATHS
    assert save(store, {"/a": b"1", "/b": b"2"}, bounds=Bounds(paths=2)).layer(DIGEST) is not None
    layer_path(store, "x").parent.joinpath(next(layer_path(store, "x").parent.iterdir())).unlink()
    assert save(store, {"/a": b"1", "/b": b"2"}, bounds=Bounds(paths=1)).layer(DIGEST) is None


def test_no_more_content_is_kept_than_there_is_room(store: Store) -> None:
    assert Bounds().content == CONTENT_BYTES
    noise = {f"/{n}": random.Random(n).randbytes(1000) for n in range(3)}
    layers = save(store, noise, bounds=Bounds(content=2500))
    known = layers.layer(DIGEST)
    assert known is not None
    kept = [layers.content(entry) for entry in known.entries]
    assert kept == [noise["/0"], noise["/1"], None]


def test_too_many_files_fetched_one_by_one_end_the_memory(store: Store) -> None:
    assert Bounds().misses == MOST_MISSES
    layers = save(store, {"/a": b"one"})
    assert layers.layer(DIGEST) is not None
    for _ in range(10):
        layers.fetched("/of/a/layer/that/is/not/known")
    for _ in range(MOST_MISSES):
        layers.fetched("/a")
    assert not layers.is_given_up
    with pytest.raises(UnreadFileError):
        layers.fetched("/a")
    assert layers.is_given_up


def test_a_file_without_a_digest_must_have_had_the_same_claim(store: Store) -> None:
    layers = save(store, {"/a": b"one"})
    layers.layer(DIGEST)
    layers.see(file("/a", b"one"), None)
    with pytest.raises(UnreadFileError):
        layers.see(Entry("/b", FILE, 0o644, size=3), None)
