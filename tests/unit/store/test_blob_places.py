"""Which repositories have which blobs: remembered, bounded, and never believed."""

from __future__ import annotations

from pathlib import Path

from envlock.store.blob_places import MOST_PLACES, MOST_TRIED, BlobPlaces
from envlock.store.objects import Store


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def test_the_repositories_that_had_a_blob_last_are_tried(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        for name in ("a", "b", "c", "d"):
            BlobPlaces(store, "one.example.org").note(name, {digest(1), digest(2)})
        known = BlobPlaces(store, "one.example.org")
        assert known.others("d", digest(1)) == ["c", "b"]
        assert len(known.others("x", digest(2))) == MOST_TRIED
        assert known.others("d", digest(3)) == []
        assert BlobPlaces(store, "two.example.org").others("x", digest(1)) == []


def test_blobs_that_are_known_of_a_host(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        known = BlobPlaces(store, "example.org")
        known.note("a", [digest(0)])
        known.note("b", [digest(number) for number in range(1, MOST_PLACES)])
        assert BlobPlaces(store, "example.org").others("x", digest(0)) == ["a"]
        known.note("b", [digest(MOST_PLACES)])
        again = BlobPlaces(store, "example.org")
        assert again.others("x", digest(0)) == []
        assert again.others("x", digest(1)) == ["b"]


def test_a_damaged_file_is_no_knowledge(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        BlobPlaces(store, "example.org").note("a", [digest(1)])
        (path,) = (store.cache / "blob-places").iterdir()
        line = path.read_bytes()
        wrong = (b"\xff\0", b"sha256:12 a\n", digest(1).encode() + b" ../x\n", line + b"no line")
        for content in wrong:
            path.write_bytes(content)
            expected = ["a"] if content.startswith(line) else []
            assert BlobPlaces(store, "example.org").others("x", digest(1)) == expected
