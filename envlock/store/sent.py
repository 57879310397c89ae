"""What a repository of a registry is known to have: the manifests that were sent or fetched last.

They are in a file of the store's cache; a reference keeps the objects that the next version is
compared with.  All of it can be deleted, and garbage collection deletes what was not used for long:
then the next version travels whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from envlock.errors import LockfileError
from envlock.model.document import parse_json
from envlock.model.splice import kept_digests
from envlock.reading import read_file
from envlock.store.disk import store_errors
from envlock.store.manifests import (
    DELTA_TYPE,
    LOCK_TYPE,
    OBJECT_TYPE,
    PACKAGE_TYPE,
    PACKED_OBJECT_TYPE,
    PACKED_TREE_TYPE,
    TREE_TYPE,
    Described,
    parse_manifest,
)
from envlock.store.objects import Store
from envlock.store.refs import Ref, refs, set_ref
from envlock.store.shipment import Base, listed
from envlock.store.unpacking import is_complete
from envlock.writing import replace_file

MOST_TAGS = 32
"""Most tags and services of a repository that are remembered; the oldest goes first."""

_FOLDER = "sent"
_REF = "sent "
_LARGEST = 64 * 1024 * 1024
_TREES = frozenset({TREE_TYPE, PACKED_TREE_TYPE})
_OBJECTS = frozenset({OBJECT_TYPE, PACKED_OBJECT_TYPE})
_NOT_OF_A_BASE = frozenset({LOCK_TYPE, DELTA_TYPE, PACKAGE_TYPE})


def remember(store: Store, place: str, tag: str, manifest: bytes) -> None:
    """Note what a tag of a repository has; `place` is its host and name.  Raise StoreError.

    Do nothing for a lock without a file tree.
    """
    base = _tree_of(parse_manifest(manifest, place))
    if not base or not store.has(base):
        return
    others = {other: text for other, text in _read(store, place).items() if other != tag}
    known = {tag: manifest.decode(), **dict(islice(others.items(), MOST_TAGS - 1))}
    bases = {_tree_of(parse_manifest(text.encode(), place)) for text in known.values()}
    bases = {each for each in bases if store.has(each)}
    folder = store.cache / _FOLDER
    with store_errors(folder):
        folder.mkdir(mode=0o700, exist_ok=True)
        replace_file(_path(store, place), json.dumps(known).encode())
    whole = [each for each in bases if is_complete(each, store)]
    set_ref(store, f"{_REF}{place}", objects=bases, trees=whole)


def recall(store: Store, place: str, tag: str) -> Iterator[tuple[Described, ...]]:
    """Yield the layers of the manifests that a repository is known to have: first that of the tag,
    then others, the last one first.
    """  # noqa: D205
    known = _read(store, place)
    for name in sorted(known, key=lambda each: each != tag):
        with suppress(LockfileError):
            yield parse_manifest(known[name].encode(), place)


def _read(store: Store, place: str) -> dict[str, str]:
    """Return the manifests of a repository by their tags, the last one first."""
    with suppress(OSError, ValueError, AttributeError):
        found = parse_json(read_file(_path(store, place), _LARGEST))
        return {str(tag): str(manifest) for tag, manifest in found.items()}
    return {}


def unused_since(store: Store, limit: float) -> list[Ref]:
    """Return the references that keep versions not sent or fetched since, in seconds since 1970.

    Also those whose file is gone.
    """

    def is_used(place: str) -> bool:
        try:
            return _path(store, place).lstat().st_mtime > limit
        except FileNotFoundError:
            return False

    found = (ref for ref in refs(store) if ref.name.startswith(_REF))
    return [ref for ref in found if not is_used(ref.name.removeprefix(_REF))]


def base_of(layers: Sequence[Described], store: Store) -> Base:
    """Return the whole version among layers that a repository has, to compare the next one with.

    One that has nothing where there is none, or where this store lacks its tree.
    """
    tree = _tree_of(layers)
    if not tree or not store.has(tree):
        return Base("", frozenset())
    kept = kept_digests(store.read(tree))[0]
    alone = frozenset(layer.content for layer in layers if layer.media_type in _OBJECTS)
    blobs = (listed(layer) for layer in layers if layer.media_type not in _NOT_OF_A_BASE)
    return Base(tree, kept | alone | {tree}, tuple(blobs), alone - kept)


def _tree_of(layers: Sequence[Described]) -> str:
    return next((layer.content for layer in layers if layer.media_type in _TREES), "")


def _path(store: Store, place: str) -> Path:
    return store.cache / _FOLDER / hashlib.sha256(place.encode()).hexdigest()[:32]
