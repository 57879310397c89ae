import hashlib
import os
import stat
import threading
from pathlib import Path

import pytest

from envlock.errors import StoreError
from envlock.store.objects import EMPTY, Store

BIG = 3 * 1024 * 1024 + 7


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.is_file())


def object_path(store: Store, sha256: str) -> Path:
    return store.root / "objects" / sha256[:2] / sha256[2:]


def damage(path: Path, content: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(content)


@pytest.mark.parametrize("content", [b"", b"x", b"\0" * 1024 * 1024, os.urandom(BIG)], ids=len)
@pytest.mark.parametrize("packed", [False, True])
def test_content_is_read_back(root: Path, content: bytes, packed: bool) -> None:
    with Store.open(root) as store:
        sha256 = store.put_packed(content) if packed else store.put(content)
        assert sha256 == digest(content)
        assert store.read(sha256) == content
        store.commit()
    with Store.open(root, create=False) as store:
        assert store.has(sha256)
        assert store.size(sha256) == len(content)
        assert store.read(sha256) == content
        with store.stream(sha256) as stream:
            assert b"".join(iter(lambda: stream.read(1000), b"")) == content


def test_layout_and_modes(store: Store) -> None:
    plain, packed = store.put(b"plain"), store.put_packed(b"packed")
    store.commit()
    assert files(store.root / "objects") == sorted(
        [object_path(store, plain), object_path(store, packed).with_suffix(".zst")]
    )
    for path in files(store.root / "objects"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o222 == 0
    for path in store.root.rglob("*"):
        if path.is_dir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o700, path
    assert stat.S_IMODE(store.root.stat().st_mode) == 0o700


def test_nothing_is_visible_before_commit(root: Path, store: Store) -> None:
    sha256 = store.put(b"staged")
    with Store.open(root) as other:
        assert not other.has(sha256)
        store.commit()
        assert other.read(sha256) == b"staged"


def test_what_was_not_committed_is_gone_after_close(root: Path) -> None:
    with Store.open(root) as store:
        store.put(b"staged")
        store.put_stream([bytes(BIG)])
        half = store.writer()
        half.write(bytes(BIG))
    assert files(root) == [root / "lock"]
    half.abort()


def test_a_writer_streams_and_aborts(store: Store) -> None:
    writer = store.writer()
    for _ in range(5):
        writer.write(b"y" * 700_000)
    sha256 = writer.close()
    assert sha256 == digest(b"y" * 3_500_000)
    for size in (10, BIG):
        writer = store.writer()
        writer.write(bytes(size))
        writer.abort()
        writer.abort()
        assert not store.has(digest(bytes(size)))
    assert len(files(store.root / "tmp")) == 1
    assert store.read(sha256) == b"y" * 3_500_000


def test_a_stream_must_have_the_expected_digest(store: Store) -> None:
    for content in (b"small", bytes(BIG)):
        with pytest.raises(StoreError, match="another digest") as caught:
            store.put_stream([content], expected=digest(b"other"))
        assert caught.value.where == f"sha256:{digest(b'other')}"
        assert store.put_stream([content], expected=digest(content)) == digest(content)
        store.discard([digest(content)])
    assert files(store.root / "tmp") == []


def test_a_stream_that_breaks_leaves_nothing(store: Store) -> None:
    def chunks():
        yield bytes(BIG)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        store.put_stream(chunks())
    assert files(store.root / "tmp") == []


def test_duplicates_take_no_space(root: Path) -> None:
    with Store.open(root) as store:
        for content in (b"twice", bytes(BIG)):
            assert store.put(content) == store.put(content) == store.put_packed(content)
        assert len(files(root / "tmp")) == 2
        store.commit()
    with Store.open(root) as store:
        for content in (b"twice", bytes(BIG)):
            store.put(content)
            store.put_packed(content)
        assert files(root / "tmp") == []
        store.commit()
    assert len(files(root / "objects")) == 2


def test_discard_drops_only_what_is_staged(root: Path) -> None:
    with Store.open(root) as store:
        kept = store.put(b"kept")
        store.commit()
        store.put(b"kept")
        dropped = store.put(b"dropped")
        store.discard([kept, dropped, digest(b"never seen")])
        assert store.has(kept)
        assert not store.has(dropped)
        store.commit()
        assert not store.has(dropped)


@pytest.mark.parametrize("rubbish", [b"", b"short", b"same length, other"])
@pytest.mark.parametrize("packed", [False, True])
def test_the_existence_of_a_file_proves_nothing(root: Path, rubbish: bytes, packed: bool) -> None:
    content = b"same length, bytes"
    with Store.open(root) as store:
        sha256 = store.put(content)
        store.commit()
        damage(object_path(store, sha256), rubbish)
    with Store.open(root) as store:
        assert (store.put_packed if packed else store.put)(content) == sha256
        store.commit()
        assert store.read(sha256) == content
    with Store.open(root) as store:
        assert store.read(sha256) == content


@pytest.mark.parametrize("packed", [False, True])
def test_corruption_is_found_on_reading(store: Store, packed: bool) -> None:
    content = os.urandom(BIG)
    sha256 = store.put_packed(content) if packed else store.put(content)
    store.commit()
    path = object_path(store, sha256).with_suffix(".zst" if packed else "")
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    damage(path, raw)
    with pytest.raises(StoreError, match="corrupt") as caught:
        store.read(sha256)
    assert sha256 in caught.value.where
    assert files(store.root / "quarantine") == [
        store.root / "quarantine" / f"{sha256}{path.suffix}"
    ]
    assert not store.has(sha256)


@pytest.mark.parametrize("packed", [False, True])
def test_truncation_is_found_before_the_last_bytes_are_returned(store: Store, packed: bool) -> None:
    content = os.urandom(5000)
    sha256 = store.put_packed(content) if packed else store.put(content)
    store.commit()
    path = object_path(store, sha256).with_suffix(".zst" if packed else "")
    damage(path, path.read_bytes()[:-1])
    with store.stream(sha256) as stream, pytest.raises(StoreError):
        stream.read(5000)


def test_a_stream_cannot_seek(store: Store) -> None:
    with store.stream(store.put(b"forward only")) as stream:
        assert not stream.seekable()


def test_a_missing_object_is_named(store: Store) -> None:
    for ask in (store.read, store.stream, store.size, store.path):
        with pytest.raises(StoreError, match="lacks") as caught:
            ask(digest(b"nowhere"))
        assert digest(b"nowhere") in caught.value.where
        assert caught.value.hint


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 64 + "\n"])
def test_a_name_that_is_no_digest_is_not_found(store: Store, name: str) -> None:
    assert not store.has(name)
    with pytest.raises(StoreError):
        store.read(name)


def test_only_the_empty_object_may_be_empty(store: Store) -> None:
    store.put(b"")
    sha256 = store.put(b"full")
    store.commit()
    damage(object_path(store, sha256), b"")
    assert store.has(EMPTY)
    assert not store.has(sha256)


def test_path_is_for_uncompressed_objects(store: Store) -> None:
    plain, packed = store.put(b"plain"), store.put_packed(b"packed")
    assert store.path(plain).read_bytes() == b"plain"
    store.commit()
    assert store.path(plain).read_bytes() == b"plain"
    with pytest.raises(StoreError, match="compressed"):
        store.path(packed)


def test_many_objects_are_committed_together(root: Path) -> None:
    contents = [f"object {n}".encode() for n in range(200)]
    with Store.open(root) as store:
        for content in contents:
            store.put(content)
        store.commit()
    with Store.open(root) as store:
        assert [store.read(digest(content)) for content in contents] == contents
        found = [sha256 for sha256, _ in store.objects()]
        assert found == sorted(digest(content) for content in contents)


def test_threads_may_share_a_store(store: Store) -> None:
    contents = [bytes([n % 50]) * 50_000 * (n % 50) for n in range(200)]

    def work(part: list[bytes]) -> None:
        for content in part:
            assert store.put_stream([content]) == digest(content)

    threads = [threading.Thread(target=work, args=(contents[n::4],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.commit()
    assert len(files(store.root / "objects")) == 50
    assert all(store.read(digest(content)) == content for content in contents)


def test_a_commit_that_fails_can_be_tried_again(store: Store) -> None:
    contents = [bytes([n]) for n in range(20)]
    digests = sorted(map(store.put, contents))
    obstacle = store.root / "objects" / digests[10][:2]
    obstacle.write_bytes(b"in the way")
    with pytest.raises(StoreError):
        store.commit()
    obstacle.unlink()
    store.commit()
    assert sorted(sha256 for sha256, _ in store.objects()) == digests


def test_opening_without_a_store(root: Path) -> None:
    with pytest.raises(StoreError, match="no store") as caught:
        Store.open(root, create=False)
    assert caught.value.where == str(root)
    assert not root.exists()


def test_a_file_in_the_way_is_a_store_error(root: Path) -> None:
    root.write_bytes(b"")
    with pytest.raises(StoreError):
        Store.open(root)


def test_the_leftovers_of_a_dead_session_are_swept(root: Path) -> None:
    Store.open(root).close()
    left = root / "tmp" / "dead"
    left.mkdir()
    (left / "0").write_bytes(b"half")
    with Store.open(root) as first:
        assert not left.exists()
        sha256 = first.put(b"alive")
        with Store.open(root):
            assert first.read(sha256) == b"alive"


def test_closing_twice_is_fine(root: Path) -> None:
    store = Store.open(root)
    store.close()
    store.close()


def test_what_was_written_to_is_held_only_if_it_is_sound(root: Path) -> None:
    with Store.open(root) as store:
        one, two = store.put(b"one"), store.put(b"two")
        store.commit()
    with Store.open(root) as store:
        assert store.holds(one, 3)
        assert not store.holds(one, 4)
        for sha256, content in ((one, b"onE"), (two, b"two")):
            store.path(sha256).chmod(0o644)
            store.path(sha256).write_bytes(content)
        assert not store.holds(one, 3)
        assert store.holds(two, 3)
        assert [path.name for path in (root / "quarantine").iterdir()] == [one]


def test_what_dead_processes_left_is_deleted_when_the_store_is_opened(root: Path) -> None:
    with Store.open(root):
        pass
    draft = ".envlock-0123456789ab-0123456789abcdef"
    left = [
        root / "refs" / draft,
        root / "cache" / draft,
        root / "cache/layers" / draft,
        root / "cache/layouts/0123/blobs/x",  # of earlier versions, like the next
        root / "cache/unpacked/a.tar",
        root / "cache/artifacts/.fetch-abc/x.deb",
        root / "tmp/0123/0",
    ]
    kept = [root / "cache/layers/0123.tar", root / "cache/apt/.hidden", root / "refs/x"]
    for path in (*left, *kept):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    with Store.open(root):
        with Store.open(root):
            pass
        assert [path for path in left if path.exists()] == []
        assert all(path.exists() for path in kept)
        left[0].write_bytes(b"x")
        with Store.open(root):
            assert left[0].exists(), "another process may be writing it"
