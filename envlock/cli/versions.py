"""Which version of a lock a registry has, so that a push sends only what changed since."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from envlock.cli.registry_locks import RegistryOrigin, lock_manifest
from envlock.cli.transfer import Parcel, lock_annotations, pack_lock
from envlock.errors import LockfileError
from envlock.model.lock import tree_address
from envlock.model.splice import kept_digests
from envlock.store.blob_places import BlobPlaces
from envlock.store.manifests import Described, parse_manifest
from envlock.store.sent import base_of, recall, remember
from envlock.store.shipment import Extent, ship_again
from envlock.store.unpacking import objects_of

if TYPE_CHECKING:
    from envlock.registry.client import Repository
    from envlock.registry.reference import Reference
    from envlock.store.objects import Store


def extent_for(reference: Reference, store: Store) -> Extent:
    """Return what the repository of a reference is known to have."""
    for layers in recall(store, *_place_and_tag(reference)):
        base = base_of(layers, store)
        if base.tree:
            return Extent(base=base)
    return Extent()


def as_there(parcel: Parcel, repository: Repository, reference: Reference, store: Store) -> Parcel:
    """Return a lock in the form in which a repository has it, if it has the same one whole."""
    sha256 = hashlib.sha256(parcel.lockfile).hexdigest()
    tree = tree_address(parcel.lock)
    known = [*recall(store, *_place_and_tag(reference))]
    for layers in (*known, _layers_there(repository, reference)):
        if not layers or layers[0].content != sha256:
            continue
        needed = kept_digests(store.read(tree))[0] | {tree} if tree else frozenset[str]()
        if layers in known or needed <= objects_of(layers, RegistryOrigin(repository)):
            shipment = ship_again(parcel.lockfile, layers, lock_annotations(parcel.lock))
            return parcel._replace(shipment=shipment)
    return parcel


def whole(parcel: Parcel, store: Store) -> Parcel:
    """Return a lock with everything that it needs, whatever a repository is known to have."""
    return pack_lock(parcel.name, parcel.lockfile, parcel.lock, store)


def note_there(reference: Reference, manifest: bytes, store: Store) -> None:
    """Note that a repository has the lock of a manifest, with all its blobs.  Raise StoreError."""
    remember(store, *_place_and_tag(reference), manifest)
    there = {layer.digest for layer in parse_manifest(manifest, str(reference))}
    BlobPlaces(store, reference.host).note(reference.repository, there)


def _place_and_tag(reference: Reference) -> tuple[str, str]:
    service = f"#{reference.service}" if reference.service else ""
    return f"{reference.host}/{reference.repository}", f"{reference.tag}{service}"


def _layers_there(repository: Repository, reference: Reference) -> tuple[Described, ...]:
    """Return the layers of the lock that a tag has; none where it has no such lock.

    Raise RegistryError when the registry does not answer.
    """
    if not repository.digest(reference.wanted):
        return ()
    try:
        return parse_manifest(lock_manifest(repository, reference).content, repository.where)
    except LockfileError:
        return ()
