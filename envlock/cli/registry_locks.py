"""Locks in registries: push, pull, and the operand ``oci://HOST/REPOSITORY:TAG``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from envlock.errors import LockfileError, ManifestRefusedError, RegistryError
from envlock.model.document import parse_json
from envlock.registry.client import OCI_INDEX, Manifest, Repository, digest_of
from envlock.registry.reference import Reference
from envlock.registry.transport import Body
from envlock.registry.uploads import Places, Sent, put_blobs
from envlock.store.kept_blobs import kept_blob
from envlock.store.manifests import ARTIFACT_TYPE, MANIFEST_TYPE, parse_manifest
from envlock.store.service_set import index_of_services, lock_entry, services_of
from envlock.store.shipment import Blob, Shipment, as_image

_PIECE_LIMIT = 8 * 1024 * 1024
_PLATFORM = ("architecture", "os", "variant")
_FEW = 5


class RegistryOrigin:
    """A repository as the origin of a shipment.

    What was received of a large blob stays in `folder`, if that is given, when this run is killed.
    """

    def __init__(self, repository: Repository, folder: Path | None = None) -> None:
        self._repository = repository
        self._folder = folder
        self.name = str(repository.reference)

    def blob(self, digest: str, size: int) -> Iterator[bytes]:
        """Yield the content of a blob, verified."""
        if self._folder is None:
            return self._repository.blob(digest, size)
        return kept_blob(self._repository, digest, size, self._folder)

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
    """What a push did: the digest of the manifest, and how many blobs were sent or there.

    `sent` are the digests of those that were sent.  `refused` is what the registry said of an
    artifact, where the form of an image was sent.
    """

    digest: str
    counts: Mapping[str, int]
    sent_bytes: int
    sent: frozenset[str] = frozenset()
    refused: str = ""


def push(
    repository: Repository,
    shipment: Shipment,
    image: Sequence[Blob] = (),
    places: Places | None = None,
    *,
    only_images: bool = False,
) -> Pushed:
    """Send a shipment: blobs first, the tag last; a second push of the same sends nothing.

    `image` are the manifest of an image, its configuration and its layers; the tag then names an
    index of both.  `places` says which repositories of the host have which blobs.  Where the
    registry takes no artifact, or `only_images` says so beforehand, the shipment goes there in the
    form of an image.
    """

    def put(as_images: bool) -> Pushed:
        sent = as_image(shipment) if as_images else shipment
        blobs = (*sent.blobs, *image[1:])
        if not image:
            return _put(repository, blobs, places, (), sent.manifest, MANIFEST_TYPE)
        children = (_content(image[0]), sent.manifest)
        return _put(repository, blobs, places, children, _index(sent, *image[:2]), OCI_INDEX)

    return _in_known_form(put, only_images=only_images)


def push_services(
    repository: Repository,
    shipments: Mapping[str, Shipment],
    places: Places | None = None,
    *,
    only_images: bool = False,
) -> Pushed:
    """Send the shipments of services, by name, and under the tag an index of them; see `push`."""

    def put(as_images: bool) -> Pushed:
        sent = {name: as_image(each) if as_images else each for name, each in shipments.items()}
        blobs = {blob.digest: blob for shipment in sent.values() for blob in shipment.blobs}
        children = {name: shipment.manifest for name, shipment in sent.items()}
        index = index_of_services(children, with_types=not as_images)
        return _put(repository, blobs.values(), places, children.values(), index, OCI_INDEX)

    return _in_known_form(put, only_images=only_images)


def _in_known_form(put: Callable[[bool], Pushed], *, only_images: bool) -> Pushed:
    try:
        return put(only_images)
    except ManifestRefusedError as error:
        if only_images:
            raise
        return put(True)._replace(refused=error.message)


def _put(
    repository: Repository,
    blobs: Iterable[Blob],
    places: Places | None,
    children: Iterable[bytes],
    last: bytes,
    media_type: str,
) -> Pushed:
    """Send blobs, the manifests that an index names, and the manifest or index of the tag."""
    ordered = sorted(blobs, key=lambda blob: blob.size)
    tag = repository.reference.tag
    if repository.digest(tag) == digest_of(last):
        return Pushed(digest_of(last), {Sent.PRESENT.value: len(ordered)}, 0)
    bodies = ((blob.digest, Body(blob.size, blob.open)) for blob in ordered)
    done = put_blobs(repository, bodies, places)
    for child in children:
        repository.put_manifest(child, MANIFEST_TYPE)
    return Pushed(repository.put_manifest(last, media_type, tag), *done)


def _index(shipment: Shipment, image: Blob, configuration: Blob) -> bytes:
    """Return the index of an image and its lock."""
    described = parse_json(_content(configuration))
    platform = {name: described[name] for name in _PLATFORM if name in described}
    entry = {"mediaType": MANIFEST_TYPE, "digest": image.digest, "size": image.size}
    entries = [entry | {"platform": platform}, lock_entry(shipment.manifest)]
    document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()


def _content(blob: Blob) -> bytes:
    with blob.open() as stream:
        return stream.read()


def lock_manifest(repository: Repository, reference: Reference | None = None) -> Manifest:
    """Return the manifest that a reference names, of an index that of its lock.

    Without a reference it is that of the repository.

    Raise RegistryError when there is none, LockfileError when it has several, of services, and the
    reference names none of them.
    """
    reference = reference or repository.reference
    manifest = repository.manifest(reference.wanted)
    services = services_of(manifest.document, str(reference))
    if services or reference.service:
        return repository.manifest(_chosen(services, reference))
    entries = manifest.document.get("manifests")
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and entry.get("artifactType") == ARTIFACT_TYPE:
            return repository.manifest(str(entry.get("digest", "")))
    return manifest


def _chosen(services: Mapping[str, str], reference: Reference) -> str:
    """Return the digest of the manifest of the service that a reference names."""
    if not services:
        raise LockfileError(
            "it has no services", where=str(reference), hint="leave out # and what follows it"
        )
    if reference.service in services:
        return services[reference.service]
    named = ", ".join(list(services)[:_FEW]) + (", …" if len(services) > _FEW else "")
    told = (
        f"no service {reference.service}" if reference.service else "the locks of several services"
    )
    first = reference._replace(service=next(iter(services)))
    raise LockfileError(
        f"it has {told}", where=str(reference), hint=f"name one of {named}, such as {first}"
    )


def holds_lock(operand: str) -> bool:
    """True when a reference to a registry names a lock, False for an image."""
    with open_repository(Reference.parse(operand)) as repository:
        manifest = lock_manifest(repository)
    try:
        parse_manifest(manifest.content, operand)
    except LockfileError:
        return False
    return True
