import hashlib

import pytest

from envlock.errors import StoreError
from envlock.store.objects import Store
from envlock.store.refs import drop_ref, read_ref, ref_files, refs, set_ref

NAMES = ["dev", "/srv/x y/locks/dev.lock", "a\nb\\c", "\udcff\udc80", "../..", "n" * 5000]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_comes_back(store: Store, name: str) -> None:
    one, two = store.put(b"1"), store.put_packed(b"2")
    set_ref(store, name, [two, one, two], lock=b"the lock")
    (ref,) = refs(store)
    assert ref.name == name
    assert ref.objects == {one, two}
    assert store.read(ref.lock) == b"the lock"
    assert ref.needs == {one, two, ref.lock}


def test_names_do_not_collide_and_come_in_byte_order(store: Store) -> None:
    for name in NAMES:
        set_ref(store, name, [store.put(name.encode("utf-8", "surrogateescape"))])
    assert [ref.name for ref in refs(store)] == sorted(
        NAMES, key=lambda n: n.encode("utf-8", "surrogateescape")
    )


def test_the_file_is_plain_text_and_blind_to_order(store: Store) -> None:
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


def test_a_reference_to_nothing_is_refused_and_the_old_one_stands(store: Store) -> None:
    old = store.put(b"old")
    set_ref(store, "dev", [old])
    with pytest.raises(StoreError, match="lacks") as caught:
        set_ref(store, "dev", [hashlib.sha256(b"nowhere").hexdigest()])
    assert hashlib.sha256(b"nowhere").hexdigest() in caught.value.where
    assert refs(store)[0].objects == {old}


def test_dropping(store: Store) -> None:
    set_ref(store, "dev", [store.put(b"x")])
    assert drop_ref(store, "dev")
    assert not drop_ref(store, "dev")
    assert refs(store) == []


def test_an_unfinished_reference_is_none(store: Store) -> None:
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
