"""Put what a shipment has into the store: verified, bounded, and only what the store lacks."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from envlock.errors import StoreError
from envlock.model.splice import kept_digests
from envlock.store.deltas import LARGEST_DELTA, Delta, DeltaError, read_delta, read_objects_of
from envlock.store.frames import FrameError, unpacked_pieces
from envlock.store.manifests import (
    DELTA_TYPE,
    LARGEST_TREE,
    OBJECT_TYPE,
    PACK_TYPE,
    PACKED_OBJECT_TYPE,
    PACKED_TREE_TYPE,
    TREE_TYPE,
    Described,
    Origin,
)
from envlock.store.objects import Store
from envlock.store.packs import Packed, PackError, read_object, read_table
from envlock.store.refs import has_ref, set_ref, use_ref

_TREES = frozenset({TREE_TYPE, PACKED_TREE_TYPE})
_OBJECTS = frozenset({OBJECT_TYPE, PACKED_OBJECT_TYPE})
_PACKED = frozenset({PACKED_TREE_TYPE, PACKED_OBJECT_TYPE})
_TAKE_FIRST = "if it was made --since another one, take that first; else make it again"


def read_lock_of(layers: Sequence[Described], origin: Origin) -> bytes:
    """Return the bytes of the lock of a shipment, verified."""
    return b"".join(origin.blob(layers[0].digest, layers[0].size))


def is_complete(tree: str, store: Store) -> bool:
    """True when the store has the tree `tree` (hex) and all content that no package has."""
    return store.has(tree) and all(map(store.has, kept_digests(store.read(tree))[0]))


def unpack_shipment(layers: Sequence[Described], origin: Origin, tree: str, store: Store) -> int:
    """Put the tree `tree` (hex) and its content into the store; return how many objects were new.

    Only what the store lacks is read.  What a delta was made against is kept as well, since the
    next one is likely made against the same.  Raise StoreError when the shipment does not have it
    all, or something else than it states; then nothing refers to what was added.
    """
    name = f"tree {tree}"
    if is_complete(tree, store):
        if has_ref(store, name):
            use_ref(store, name)
        else:
            set_ref(store, name, trees=[tree])
        return 0
    taken = _take_deltas(layers, origin, store)
    if not store.has(tree):
        store.put_packed(read_tree_of(layers, origin, tree))
    needed = kept_digests(store.read(tree))[0]
    missing = {sha256 for sha256 in needed if not store.has(sha256)}
    found = set()
    for sha256, pieces in read_objects(layers, origin, missing):
        store.put_stream(pieces, sha256)
        found.add(sha256)
    if missing - found:
        raise StoreError(
            f"{len(missing - found)} files of this lock are not in it",
            where=origin.name,
            hint=_TAKE_FIRST,
        )
    set_ref(store, name, objects=taken.bases, trees=[tree])
    return len(missing | (taken.new & needed))


class _Taken(NamedTuple):
    """The bases of deltas, and the objects that were new to the store: digests (hex)."""

    bases: frozenset[str]
    new: frozenset[str]


def _take_deltas(layers: Sequence[Described], origin: Origin, store: Store) -> _Taken:
    """Put what deltas have into the store, and what they were made against."""
    bases, new = set[str](), set[str]()
    for layer in layers:
        if layer.media_type != DELTA_TYPE:
            continue
        raw, delta = _read_delta(layer, origin)
        lacking = {sha256 for sha256 in delta.objects if not store.has(sha256)}
        if not lacking:
            continue
        _take_bases(delta, layers, origin, store)
        try:
            for sha256, content in read_objects_of(delta, raw[delta.start :], store.read):
                if sha256 == layer.content:
                    store.put_packed(content)
                elif sha256 in lacking:
                    store.put(content)
        except DeltaError as error:
            raise _damaged(layer, origin, error) from error
        bases.update(delta.bases)
        new |= lacking
    return _Taken(frozenset(bases), frozenset(new))


def _take_bases(delta: Delta, layers: Sequence[Described], origin: Origin, store: Store) -> None:
    """Put what a delta was made against into the store.

    Raise StoreError where that is neither there nor in a layer, or has another size than stated.
    """
    lacking = {sha256 for sha256 in delta.bases if not store.has(sha256)}
    for layer in layers:
        if layer.media_type in _TREES and layer.content in lacking:
            store.put_packed(read_tree_of(layers, origin, layer.content))
    wanted = {sha256 for sha256 in lacking if not store.has(sha256)}
    for sha256, pieces in read_objects(layers, origin, wanted):
        store.put_stream(pieces, sha256)
    for sha256, size in delta.bases.items():
        if not store.has(sha256):
            raise StoreError(
                "what it was made against is neither in this store nor in it",
                where=origin.name,
                hint=_TAKE_FIRST,
            )
        if store.size(sha256) != size:
            raise StoreError("a delta is damaged: a base has another size", where=origin.name)


def _read_delta(layer: Described, origin: Origin) -> tuple[bytes, Delta]:
    """Return the bytes of a delta, verified, and what it has."""
    if layer.size > LARGEST_DELTA:
        raise StoreError("a delta is too large", where=origin.name)
    raw = b"".join(origin.blob(layer.digest, layer.size))
    try:
        return raw, read_delta(lambda at, size: raw[at : at + size])
    except DeltaError as error:
        raise _damaged(layer, origin, error) from error


def read_tree_of(layers: Sequence[Described], origin: Origin, tree: str) -> bytes:
    """Return the bytes of the tree `tree` (hex), verified.

    Raise StoreError when it is in no layer of its own.
    """
    kinds = _TREES | _OBJECTS
    found = next((e for e in layers if e.content == tree and e.media_type in kinds), None)
    if found is None or max(found.size, found.unpacked) > LARGEST_TREE:
        raise StoreError("the file tree of this lock is not in it", where=origin.name)
    return b"".join(content_of(found, origin))


def content_of(layer: Described, origin: Origin) -> Iterator[bytes]:
    """Yield what a layer holds, unpacked and verified.

    Raise an EnvlockError when it is damaged or is not what its manifest states.
    """
    if layer.media_type not in _PACKED:
        yield from origin.blob(layer.digest, layer.size)
        return
    hashed = hashlib.sha256()
    try:
        for piece in unpacked_pieces(origin.blob(layer.digest, layer.size), layer.unpacked):
            hashed.update(piece)
            yield piece
    except FrameError as error:
        raise _damaged(layer, origin, error) from error
    if hashed.hexdigest() != layer.content:
        raise _damaged(layer, origin, "its content does not match its digest")


def _damaged(layer: Described, origin: Origin, reason: object) -> StoreError:
    kind = layer.media_type.rpartition("envlock.")[2].partition(".")[0]
    article = "an" if kind == "object" else "a"
    return StoreError(
        f"{article} {kind} is damaged: {reason}",
        where=origin.name,
        hint="make or push it again, with --whole to a registry",
    )


def objects_of(layers: Sequence[Described], origin: Origin) -> frozenset[str]:
    """Return the digests (hex) of the trees and objects that who takes a shipment has then.

    Raise StoreError when a pack or a delta is damaged.
    """
    found = {each.content for each in layers if each.media_type in _TREES | _OBJECTS}
    for layer in layers:
        if layer.media_type == PACK_TYPE:
            found |= {packed.sha256 for packed in table_of(layer, origin)}
        elif layer.media_type == DELTA_TYPE:
            delta = _read_delta(layer, origin)[1]
            found |= {*delta.bases, *delta.objects}
    return frozenset(found)


def read_objects(
    layers: Sequence[Described], origin: Origin, wanted: Collection[str]
) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Yield those of the wanted objects that layers have whole: digest (hex), verified content.

    Raise StoreError when something is damaged.
    """
    left = set(wanted)
    for layer in layers:
        if not left:
            return
        if layer.media_type in _OBJECTS and layer.content in left:
            left.discard(layer.content)
            yield layer.content, content_of(layer, origin)
        elif layer.media_type == PACK_TYPE:
            for found, content in _unpacked(layer, origin, frozenset(left)):
                left.discard(found)
                yield found, (content,)


def table_of(layer: Described, origin: Origin) -> tuple[Packed, ...]:
    """Return the objects of a pack, without their content.  Raise StoreError for a damaged one."""
    try:
        return read_table(lambda at, size: origin.piece(layer.digest, at, size))
    except PackError as error:
        raise _damaged(layer, origin, error) from error


def _unpacked(
    layer: Described, origin: Origin, wanted: Collection[str]
) -> Iterator[tuple[str, bytes]]:
    """Yield those of the wanted objects that a pack has; it is read only if it has one."""
    packed = [each for each in table_of(layer, origin) if each.sha256 in wanted]
    raw = b"".join(origin.blob(layer.digest, layer.size)) if packed else b""
    try:
        for each in packed:
            yield each.sha256, read_object(lambda at, size: raw[at : at + size], each)
    except PackError as error:
        raise _damaged(layer, origin, error) from error
