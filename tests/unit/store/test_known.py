"""Known captures are bounded, and collecting garbage forgets them."""

import os

import pytest

from envlock.errors import StoreError
from envlock.store.gc import collect_garbage
from envlock.store.known import (
    KNOWN_BYTES,
    LAYERS_BYTES,
    MOST_KNOWN,
    MOST_LAYERS,
    forget_most,
    forget_most_layers,
    known_path,
    known_ref,
    layer_path,
)
from envlock.store.objects import Store
from envlock.store.refs import has_ref, refs, set_ref


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
    assert has_ref(store, known_ref("0")), "it tells garbage collection whose the objects were"
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
    assert has_ref(store, known_ref("gone")), "what it explains is too young to be deleted"
    assert result.freed_bytes == 1
    assert collect_garbage(store, -1).removed == 3
    assert refs(store) == []


def test_a_store_of_known_captures_alone_can_be_emptied(store: Store) -> None:
    remember(store, "old", used=1000)
    assert collect_garbage(store, -1).removed == 1
    store.put(b"lost")
    store.commit()
    with pytest.raises(StoreError, match="refusing"):
        collect_garbage(store, -1)


def test_an_expired_capture_is_no_reason_to_delete_what_lost_its_reference(store: Store) -> None:
    """As where the folder of the references was restored from an older backup."""
    remember(store, "old", used=1000)
    lost = store.put(b"of a lock whose reference is lost")
    store.commit()
    with pytest.raises(StoreError, match="refusing"):
        collect_garbage(store, -1)
    assert store.has(lost)
    assert kept(store) == {"old"}, "nothing is deleted where it refuses"
    assert collect_garbage(store, -1, force=True).removed == 2


def test_references_stay_where_everything_would_be_deleted(store: Store) -> None:
    set_ref(store, "dev", [store.put(b"needed")])
    store.commit()
    with pytest.raises(StoreError, match="refusing"):
        collect_garbage(store, -1, unused_seconds=-1)
    assert has_ref(store, "dev")


def keep_layer(store: Store, key: str, *, used: int, size: int = 1) -> None:
    path = layer_path(store, key)
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as file:
        file.truncate(size)
    os.utime(path, (used, used))


def kept_layers(store: Store) -> set[str]:
    return {path.name for path in layer_path(store, "x").parent.iterdir()}


def test_of_too_many_layers_those_used_longest_ago_are_forgotten(store: Store) -> None:
    for number in range(MOST_LAYERS + 1):
        keep_layer(store, f"{number}", used=1000 + number)
    forget_most_layers(store)
    assert kept_layers(store) == {f"{number}" for number in range(1, MOST_LAYERS + 1)}


def test_too_many_bytes_of_layers_are_forgotten(store: Store) -> None:
    keep_layer(store, "old", used=1000, size=2)
    keep_layer(store, "new", used=2000, size=LAYERS_BYTES - 1)
    forget_most_layers(store)
    assert kept_layers(store) == {"new"}
    assert collect_garbage(store, -1).freed_bytes == LAYERS_BYTES - 1
    assert kept_layers(store) == set()
