import hashlib

import pytest

from envlock.errors import StoreError
from envlock.model.tree import Entry, EntryType, FileClass, Row, Tree
from envlock.store.check import ProblemKind, check
from envlock.store.gc import collect_garbage
from envlock.store.objects import Store
from envlock.store.refs import needs, read_ref, ref_files, refs, set_ref

NAMES = ["dev", "/srv/x y/locks/dev.lock", "a\nb\\c", "\udcff\udc80", "../..", "n" * 5000]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_read_back(store: Store, name: str) -> None:
    one, two = store.put(b"1"), store.put_packed(b"2")
    set_ref(store, name, [two, one, two], lock=b"the lock")
    (ref,) = refs(store)
    assert ref.name == name
    assert ref.objects == {one, two}
    assert store.read(ref.lock) == b"the lock"
    assert ref.named == {one, two, ref.lock}


def test_names_do_not_collide_and_come_in_byte_order(store: Store) -> None:
    for name in NAMES:
        set_ref(store, name, [store.put(name.encode("utf-8", "surrogateescape"))])
    assert [ref.name for ref in refs(store)] == sorted(
        NAMES, key=lambda n: n.encode("utf-8", "surrogateescape")
    )


def test_the_file_is_plain_text_independent_of_order(store: Store) -> None:
    digests = [store.put(bytes([n])) for n in range(5)]
    set_ref(store, "x\ty", digests)
    (path,) = ref_files(store)
    first = path.read_bytes()
    assert first.decode() == "envlock-ref 1\nname x\\x09y\n" + "".join(
        f"object {sha256}\n" for sha256 in sorted(digests)
    )
    set_ref(store, "x\ty", reversed(digests))
    assert path.read_bytes() == first


def test_a_reference_makes_its_objects_durable(root) -> None:
    with Store.open(root) as store:
        sha256 = store.put(b"needed")
        set_ref(store, "dev", [sha256])
    with Store.open(root) as store:
        assert store.read(sha256) == b"needed"


def test_a_reference_to_a_missing_object_is_refused_and_the_old_one_stays(store: Store) -> None:
    old = store.put(b"old")
    set_ref(store, "dev", [old])
    with pytest.raises(StoreError, match="lacks") as caught:
        set_ref(store, "dev", [hashlib.sha256(b"nowhere").hexdigest()])
    assert hashlib.sha256(b"nowhere").hexdigest() in caught.value.where
    assert refs(store)[0].objects == {old}


def test_an_unfinished_reference_is_ignored(store: Store) -> None:
    (store.root / "refs" / ".new-abc").write_bytes(b"half")
    assert refs(store) == []


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (b"", 1),
        (b"envlock-ref 2\nname x\n", 1),
        (b"envlock-ref 1\n", 1),
        (b"envlock-ref 1\nname x\nobject " + b"0" * 64, 1),
        (b"envlock-ref 1\nname \\q\n", 2),
        (b"envlock-ref 1\nname x\nobject 00\n", 3),
        (b"envlock-ref 1\nname x\nobject " + b"0" * 64 + b"\nother " + b"0" * 64 + b"\n", 4),
        (b"\xff\xfe", 1),
    ],
)
def test_a_damaged_reference_is_an_error_with_its_line(store: Store, raw: bytes, line: int) -> None:
    path = store.root / "refs" / "damaged"
    path.write_bytes(raw)
    with pytest.raises(StoreError, match="damaged") as caught:
        read_ref(path)
    assert caught.value.where == f"{path}:{line}"
    with pytest.raises(StoreError):
        refs(store)


def tree_of(store: Store) -> tuple[str, str, str]:
    """Put a tree object into the store; return its digest, a blob's and a pristine file's."""
    blob, pristine = store.put(b"by value"), store.put(b"as packaged")
    rows = (
        Row(Entry("/", EntryType.DIRECTORY), FileClass.UNOWNED),
        Row(
            Entry("/etc/a", EntryType.FILE, size=11, sha256=pristine),
            FileClass.CONFFILE,
            "deb a",
            "deb a etc/a",
        ),
        Row(
            Entry("/srv/x", EntryType.FILE, size=8, sha256=blob),
            FileClass.UNOWNED,
            "",
            f"blob {blob}",
        ),
        Row(Entry("/var/log/x", EntryType.FILE, size=1, sha256="1" * 64), FileClass.LOG),
    )
    return store.put_packed(Tree(rows).to_bytes()), blob, pristine


def test_a_reference_needs_what_the_rows_of_its_trees_need(store: Store) -> None:
    tree, blob, pristine = tree_of(store)
    set_ref(store, "dev", trees=[tree])
    (ref,) = refs(store)
    assert (ref.objects, ref.trees) == (frozenset(), {tree})
    assert needs(store, ref) == ({tree, blob}, {pristine})


def test_collection_keeps_what_a_tree_needs(root) -> None:
    with Store.open(root) as store:
        tree, blob, pristine = tree_of(store)
        store.put(b"garbage")
        set_ref(store, "dev", trees=[tree])
        found = collect_garbage(store, 0)
        assert (found.kept, found.removed) == (3, 1)
        assert all(map(store.has, (tree, blob, pristine)))
        store.path(blob).unlink()
        (problem,) = check(store, read_data=False)
        assert (problem.kind, problem.where, problem.refs) == (
            ProblemKind.MISSING,
            f"sha256:{blob}",
            ("dev",),
        )


def test_collection_stops_at_a_tree_that_cannot_be_read(root) -> None:
    with Store.open(root) as store:
        tree, blob, _ = tree_of(store)
        set_ref(store, "dev", trees=[tree])
        next(store.root.glob(f"objects/{tree[:2]}/{tree[2:]}*")).write_bytes(b"damaged")
        with pytest.raises(StoreError, match="corrupt"):
            collect_garbage(store, 0)
        assert store.has(blob)
