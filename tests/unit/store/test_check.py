import hashlib
import os
from pathlib import Path

from envlock.store.check import Problem, ProblemKind, check
from envlock.store.objects import SOUND_NS, Store
from envlock.store.refs import set_ref
from envlock.store.stats import stats


def damage(path: Path, content: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(content)


def test_a_sound_store_has_no_problem(store: Store) -> None:
    set_ref(store, "dev", [store.put(b"x"), store.put_packed(b"y"), store.put(b"")], lock=b"lock")
    store.put(b"garbage")
    store.commit()
    assert check(store, read_data=False) == check(store, read_data=True) == []


def test_corrupt_objects_go_to_quarantine_and_name_the_locks(store: Store) -> None:
    one, two, free = store.put(b"one"), store.put_packed(b"two"), store.put(b"free")
    set_ref(store, "prod", [one, two])
    set_ref(store, "dev", [one])
    for sha256, path in list(store.objects()):
        if sha256 in (one, two, free):
            damage(path, b"???")
            os.utime(path, ns=(SOUND_NS, SOUND_NS))  # the disk did it, so nothing shows
    assert check(store, read_data=False) == []
    problems = check(store, read_data=True)
    message = "its content does not match its digest; moved to quarantine"
    refs = {one: ("dev", "prod"), two: ("prod",), free: ()}
    assert [p for p in problems if p.kind is ProblemKind.CORRUPT] == [
        Problem(kind=ProblemKind.CORRUPT, where=f"sha256:{s}", message=message, refs=refs[s])
        for s in sorted(refs)
    ]
    assert stats(store).quarantined == 3
    after = check(store, read_data=True)
    assert {(p.kind, p.where, p.refs) for p in after} == {
        (ProblemKind.MISSING, f"sha256:{one}", ("dev", "prod")),
        (ProblemKind.MISSING, f"sha256:{two}", ("prod",)),
    }


def test_an_empty_object_is_found_without_reading(store: Store) -> None:
    sha256 = store.put(b"full")
    set_ref(store, "dev", [sha256])
    damage(store.path(sha256), b"")
    kinds = {problem.kind for problem in check(store, read_data=False)}
    assert kinds == {ProblemKind.CORRUPT, ProblemKind.MISSING}


def test_an_object_that_was_written_to_is_read_and_trusted_again_if_it_is_sound(
    store: Store,
) -> None:
    one, two = store.put(b"one"), store.put(b"two")
    set_ref(store, "dev", [one, two])
    damage(store.path(one), b"onE")
    damage(store.path(two), b"two")
    problems = check(store, read_data=False)
    assert {(p.kind, p.where) for p in problems} == {
        (ProblemKind.CORRUPT, f"sha256:{one}"),
        (ProblemKind.MISSING, f"sha256:{one}"),
    }
    assert store.path(two).stat().st_mtime_ns == SOUND_NS


def test_missing_objects_strays_and_damaged_references(store: Store) -> None:
    sha256 = store.put(b"gone")
    set_ref(store, "dev", [sha256])
    store.path(sha256).unlink()
    (store.root / "refs" / "damaged").write_bytes(b"?")
    strays = [store.root / "objects" / "README", store.root / "objects" / "ab" / "short"]
    for stray in strays:
        stray.parent.mkdir(exist_ok=True)
        stray.write_bytes(b"?")
    found = {(p.kind, p.where) for p in check(store, read_data=True)}
    assert found == {
        (ProblemKind.MISSING, f"sha256:{sha256}"),
        (ProblemKind.REFERENCE, f"{store.root / 'refs' / 'damaged'}:1"),
        *((ProblemKind.STRAY, str(stray)) for stray in strays),
    }


def test_stats_count_files_on_the_disk(store: Store) -> None:
    assert (stats(store).objects, stats(store).refs, stats(store).object_bytes) == (0, 0, 0)
    set_ref(store, "dev", [store.put(b"12345"), store.put(b"")])
    store.snapshot_path("host").write_bytes(b"123")
    store.stat_cache.write_bytes(b"1")
    (store.cache / "apt").mkdir()
    (store.cache / "apt/x").write_bytes(b"12")
    found = stats(store)
    assert (found.objects, found.refs, found.object_bytes) == (2, 1, 5)
    assert found.caches == {"captures": 3, "digests": 1, "apt": 2}
    packed = store.put_packed(b"z" * 100_000)
    store.commit()
    assert packed == hashlib.sha256(b"z" * 100_000).hexdigest()
    assert 5 < stats(store).object_bytes < 1000
