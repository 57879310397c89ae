"""Known captures are bounded, and collecting garbage forgets them."""

import os

import pytest

from envlock.errors import StoreError
from envlock.store.gc import collect_garbage
from envlock.store.known import KNOWN_BYTES, MOST_KNOWN, forget_most, known_path, known_ref
from envlock.store.objects import Store
from envlock.store.refs import has_ref, set_ref


def remember(store: Store, key: str, *, used: int, size: int = 1) -> None:
    path = known_path(store, key)
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as file:
        file.truncate(size)
    os.utime(path, (used, used))
    set_ref(store, known_ref(key), [store.put(key.encode())])


def kept(store: Store) -> set[str]:
    names = {path.name for path in known_path(store, "x").parent.iterdir()}
    assert all(has_ref(store, known_ref(name)) for name in names)
    return names


def test_of_too_many_those_used_longest_ago_are_forgotten(store: Store) -> None:
    for number in range(MOST_KNOWN + 1):
        remember(store, f"{number}", used=1000 + number)
    forget_most(store)
    assert kept(store) == {f"{number}" for number in range(1, MOST_KNOWN + 1)}
    assert not has_ref(store, known_ref("0"))
    forget_most(store)
    assert len(kept(store)) == MOST_KNOWN


def test_too_many_bytes_are_forgotten(store: Store) -> None:
    remember(store, "old", used=1000, size=2)
    remember(store, "new", used=2000, size=KNOWN_BYTES - 2)
    forget_most(store)
    assert kept(store) == {"old", "new"}
    remember(store, "newest", used=3000, size=1)
    forget_most(store)
    assert kept(store) == {"new", "newest"}


def test_garbage_collection_forgets_what_was_not_used_since(store: Store) -> None:
    remember(store, "old", used=1000)
    remember(store, "new", used=9000)
    set_ref(store, known_ref("gone"), [store.put(b"of a file that is gone")])
    result = collect_garbage(store, 3600, clock=lambda: 10_000)
    assert kept(store) == {"new"}
    assert not has_ref(store, known_ref("gone"))
    assert result.freed_bytes == 1
    assert collect_garbage(store, -1).removed == 3


def test_a_store_of_known_captures_alone_can_be_emptied(store: Store) -> None:
    remember(store, "old", used=1000)
    assert collect_garbage(store, -1).removed == 1
    store.put(b"lost")
    store.commit()
    with pytest.raises(StoreError, match="refusing"):
        collect_garbage(store, -1)
