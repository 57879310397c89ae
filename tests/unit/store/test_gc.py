import fcntl
import os
from pathlib import Path

import pytest

from envlock.errors import StoreError
from envlock.store.check import check
from envlock.store.gc import collect_garbage
from envlock.store.objects import Store
from envlock.store.refs import ref_files, refs, set_ref, use_ref
from envlock.store.stats import stats

HOUR = 3600


def age(path: Path, seconds: float) -> None:
    old = path.stat().st_mtime - seconds
    os.utime(path, (old, old))


def test_unneeded_objects_are_deleted(store: Store) -> None:
    kept = [store.put(b"kept"), store.put_packed(b"kept packed")]
    set_ref(store, "dev", kept, lock=b"lock")
    garbage = [store.put(b"garbage"), store.put_packed(b"more garbage" * 100)]
    store.commit()
    before = stats(store)
    result = collect_garbage(store, 0)
    assert (result.kept, result.removed) == (3, 2)
    assert result.freed_bytes == before.object_bytes - stats(store).object_bytes > 0
    assert all(map(store.has, kept))
    assert not any(map(store.has, garbage))
    assert check(store, read_data=True) == []
    assert collect_garbage(store, 0).removed == 0


def test_a_deleted_reference_frees_what_it_alone_needed(store: Store) -> None:
    shared, own = store.put(b"shared"), store.put(b"own")
    set_ref(store, "dev", [shared])
    others = set(ref_files(store))
    set_ref(store, "prod", [shared, own], lock=b"prod lock")
    (prod,) = set(ref_files(store)) - others
    prod.unlink()
    assert collect_garbage(store, 0).removed == 2
    assert store.has(shared)
    assert not store.has(own)


def test_references_unused_for_long_are_deleted_when_asked(store: Store) -> None:
    for name in ("old", "used"):
        set_ref(store, name, [store.put(name.encode())])
    for path in (*ref_files(store), *(path for _, path in store.objects())):
        age(path, 40 * HOUR)
    use_ref(store, "used")
    use_ref(store, "never heard of")
    assert collect_garbage(store, HOUR).removed == 0
    assert collect_garbage(store, HOUR, unused_seconds=50 * HOUR).removed == 0
    assert collect_garbage(store, HOUR, unused_seconds=30 * HOUR).removed == 1
    assert [ref.name for ref in refs(store)] == ["used"]


def test_young_objects_stay(store: Store) -> None:
    set_ref(store, "dev", [store.put(b"needed")])
    young, old = store.put(b"young"), store.put(b"old")
    store.commit()
    age(store.path(old), 2 * HOUR)
    assert collect_garbage(store, HOUR).removed == 1
    assert store.has(young)
    assert not store.has(old)


def test_an_object_put_again_is_young_again(root: Path) -> None:
    with Store.open(root) as store:
        set_ref(store, "dev", [store.put(b"needed")])
        again = store.put(b"again")
        store.commit()
        age(store.path(again), 2 * HOUR)
    with Store.open(root) as store:
        store.put(b"again")
        store.commit()
        assert collect_garbage(store, HOUR).removed == 0


def test_without_any_reference_it_refuses(store: Store) -> None:
    sha256 = store.put(b"only")
    store.commit()
    with pytest.raises(StoreError, match="refusing") as caught:
        collect_garbage(store, 0)
    assert "--force" in caught.value.hint
    assert store.has(sha256)
    assert collect_garbage(store, 0, force=True).removed == 1


def test_an_empty_store_is_clean(store: Store) -> None:
    assert collect_garbage(store, 0).removed == 0


def test_a_damaged_reference_stops_it(store: Store) -> None:
    set_ref(store, "dev", [store.put(b"x")])
    sha256 = store.put(b"y")
    store.commit()
    (store.root / "refs" / "damaged").write_bytes(b"?")
    with pytest.raises(StoreError, match="damaged"):
        collect_garbage(store, 0, force=True)
    assert store.has(sha256)


def test_an_open_store_elsewhere_stops_it(root: Path, store: Store) -> None:
    set_ref(store, "dev", [store.put(b"x")])
    with Store.open(root), pytest.raises(StoreError, match="in use"):
        collect_garbage(store, 0)
    assert collect_garbage(store, 0).kept == 1


def test_the_store_stays_locked_for_itself_afterwards(store: Store) -> None:
    collect_garbage(store, 0)
    lock = os.open(store.root / "lock", os.O_RDWR)
    with pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    os.close(lock)


def test_old_cache_files_leftovers_and_stat_cache_are_deleted(store: Store) -> None:
    (store.cache / "deb").mkdir()
    old, young = store.cache / "deb" / "old", store.cache / "deb" / "young"
    for path in (old, young):
        path.write_bytes(b"cached")
    age(old, 2 * HOUR)
    store.stat_cache.write_bytes(b"rows")
    left = store.root / "tmp" / "dead"
    left.mkdir()
    (left / "0").write_bytes(b"half")
    staged = store.put(b"staged")
    assert collect_garbage(store, HOUR).freed_bytes == len(b"cached" + b"rows")
    assert young.exists()
    assert not old.exists()
    assert not left.exists()
    assert store.read(staged) == b"staged"


def test_strays_are_left_alone(store: Store) -> None:
    set_ref(store, "dev", [store.put(b"x")])
    stray = store.root / "objects" / "README"
    stray.write_bytes(b"?")
    collect_garbage(store, 0)
    assert stray.exists()
