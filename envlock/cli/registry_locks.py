"""Locks in registries: push, pull, and the operand ``oci://HOST/REPOSITORY:TAG``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import NamedTuple

from envlock.errors import RegistryError
from envlock.registry.client import Repository, digest_of
from envlock.registry.reference import Reference
from envlock.registry.transport import Body
from envlock.registry.uploads import Sent, put_blob
from envlock.store.shipment import LOCK_TYPE, MANIFEST_TYPE, Shipment

_PIECE_LIMIT = 8 * 1024 * 1024


class RegistryOrigin:
    """A repository as the origin of a shipment."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self.name = str(repository.reference)

    def blob(self, digest: str, size: int) -> Iterator[bytes]:
        """Yield the content of a blob, verified."""
        return self._repository.blob(digest, size)

    def piece(self, digest: str, offset: int, size: int) -> bytes:
        """Return a part of a blob, not verified."""
        if size > _PIECE_LIMIT:
            raise RegistryError("a part that is too large", where=self.name)
        return self._repository.piece(digest, offset, size)


@contextmanager
def open_repository(reference: Reference) -> Iterator[Repository]:
    """Open a repository with the credentials of this user, and close it at the end."""
    with closing(Repository.open(reference)) as repository:
        yield repository


class Pushed(NamedTuple):
    """What a push did: the digest of the manifest, and how many blobs were sent or there."""

    digest: str
    counts: Mapping[str, int]
    sent_bytes: int


def push(repository: Repository, shipment: Shipment) -> Pushed:
    """Send a shipment: blobs first, the tag last; a second push of the same sends nothing."""
    tag, digest = repository.reference.tag, digest_of(shipment.manifest)
    if repository.digest(tag) == digest:
        return Pushed(digest, {Sent.PRESENT.value: len(shipment.blobs)}, 0)
    counts: Counter[str] = Counter()
    sent = 0
    for blob in sorted(shipment.blobs, key=lambda blob: blob.size):
        done = put_blob(repository, blob.digest, Body(blob.size, blob.open))
        counts[done.value] += 1
        sent += blob.size if done is Sent.UPLOADED else 0
    repository.put_manifest(shipment.manifest, MANIFEST_TYPE, tag)
    return Pushed(digest, counts, sent)


def holds_lock(operand: str) -> bool:
    """True when a reference to a registry names a lock, False for an image."""
    with open_repository(Reference.parse(operand)) as repository:
        document = repository.manifest().document
    layers = document.get("layers")
    first = layers[0] if isinstance(layers, list) and layers else {}
    return isinstance(first, dict) and first.get("mediaType") == LOCK_TYPE
