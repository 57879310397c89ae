"""What travels with a lock: its bytes, its file tree, and the content that no package has.

A shipment is an OCI artifact: a manifest that lists blobs.  It travels in a file
(`envlock.store.bundle`) or to a registry, and the same lock always gives the same blobs.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, BinaryIO, NamedTuple, Protocol

from envlock.errors import LockfileError, StoreError
from envlock.model.document import parse_json
from envlock.model.splice import kept_digests
from envlock.store.objects import Store
from envlock.store.packs import (
    LARGE,
    Packed,
    PackError,
    divide,
    read_object,
    read_table,
    write_pack,
)
from envlock.store.refs import set_ref

ARTIFACT_TYPE = "application/vnd.envlock.lock.v1"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
LOCK_TYPE = "application/vnd.envlock.lock.v1+toml"
TREE_TYPE = "application/vnd.envlock.tree.v1"
PACK_TYPE = "application/vnd.envlock.pack.v1"
PACKAGES_TYPE = "application/vnd.envlock.packages.v1"
"""The artifact type of a manifest that has packages alone."""
PACKAGE_TYPE = "application/vnd.envlock.package.v1"
TITLE = "org.opencontainers.image.title"
OBJECT_TYPE = "application/vnd.envlock.object.v1"
EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
IMAGE_CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
IMAGE_LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"
_REAL_TYPE = "io.envlock.type"
"""The annotation that has the media type of a layer in a shipment in the form of an image."""
EMPTY = b"{}"

LARGEST_LOCK = 256 * 1024 * 1024
LARGEST_TREE = 1024 * 1024 * 1024
MOST_BLOBS = 20_000
MOST_HELD = 64 * 1024 * 1024
"""How many bytes of packs are kept in memory between counting and sending them."""
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")


class Blob(NamedTuple):
    """One blob of a shipment: its media type, its digest (``sha256:<hex>``), its size in bytes, a
    function that opens it from the start, and the file name of a package.
    """  # noqa: D205

    media_type: str
    digest: str
    size: int
    open: Callable[[], BinaryIO]
    name: str = ""

    @classmethod
    def of(cls, media_type: str, content: bytes) -> Blob:
        """Return a blob that is in memory."""
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        return cls(media_type, digest, len(content), lambda: io.BytesIO(content))


class Shipment(NamedTuple):
    """A manifest and its blobs, the configuration first; none of them is there twice."""

    manifest: bytes
    blobs: tuple[Blob, ...]
    objects: int
    """How many objects the packs and large blobs hold."""

    @property
    def size(self) -> int:
        """The size of all blobs in bytes."""
        return sum(blob.size for blob in self.blobs)


class Extent(NamedTuple):
    """What a shipment has besides the lock's own content, and what it leaves out.

    `packages` are published files.  `known` are digests (hex) of trees and objects that the other
    side has.
    """

    packages: Sequence[Blob] = ()
    known: Collection[str] = frozenset()


def pack_shipment(
    lockfile: bytes,
    tree: str,
    store: Store,
    annotations: Mapping[str, str],
    extent: Extent = Extent(),  # noqa: B008
) -> Shipment:
    """Return what travels with a lock.

    `tree` is the address of its file tree (hex), empty for a lock without one.  Raise StoreError
    naming how much is missing when the store does not have everything.
    """
    layers = [Blob.of(LOCK_TYPE, lockfile)]
    sizes: dict[str, int] = {}
    if tree:
        raw = store.read(tree)
        layers += [Blob.of(TREE_TYPE, raw)] if tree not in extent.known else []
        sizes = _sizes(kept_digests(raw)[0] - frozenset(extent.known), store)
        layers += _packs(divide(sizes), store)
        layers += (
            _large(sha256, size, store) for sha256, size in sorted(sizes.items()) if size >= LARGE
        )
    layers += _sorted(extent.packages)
    return _shipment(ARTIFACT_TYPE, layers, len(sizes), annotations)


def pack_packages(packages: Iterable[Blob]) -> Shipment:
    """Return a shipment of packages alone, sorted by name and digest."""
    return _shipment(PACKAGES_TYPE, _sorted(packages), 0, {})


def as_image(shipment: Shipment) -> Shipment:
    """Return a shipment in the form of an image, for a registry that takes nothing else.

    It has the same blobs but for the configuration.  Their media types are in annotations.
    """
    document = parse_json(shipment.manifest)
    layers = [
        {
            **layer,
            "mediaType": IMAGE_LAYER_TYPE,
            "annotations": {**layer.get("annotations", {}), _REAL_TYPE: layer["mediaType"]},
        }
        for layer in document["layers"]
    ]
    described = {
        "architecture": "unknown",
        "config": {},
        "os": "unknown",
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]},
    }
    config = Blob.of(IMAGE_CONFIG_TYPE, _compact(described))
    del document["artifactType"]
    manifest = _compact({**document, "config": _descriptor(config), "layers": layers})
    return Shipment(manifest, (config, *shipment.blobs[1:]), shipment.objects)


def _compact(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()


def _sorted(packages: Iterable[Blob]) -> list[Blob]:
    return sorted(packages, key=lambda blob: (blob.name, blob.digest))


def _shipment(
    kind: str, layers: Sequence[Blob], objects: int, annotations: Mapping[str, str]
) -> Shipment:
    config = Blob.of(EMPTY_TYPE, EMPTY)
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "artifactType": kind,
        "config": _descriptor(config),
        "layers": [_descriptor(layer) for layer in layers],
        "annotations": {"io.envlock.format": "1", **annotations},
    }
    manifest = _compact(document)
    different = {blob.digest: blob for blob in (config, *layers)}
    return Shipment(manifest, tuple(different.values()), objects)


def _sizes(digests: frozenset[str], store: Store) -> dict[str, int]:
    missing = sorted(sha256 for sha256 in digests if not store.has(sha256))
    if missing:
        raise StoreError(
            f"{len(missing)} of {len(digests)} files of this lock are not in this store",
            where=f"sha256:{missing[0]}",
            hint="run it on the machine that captured the lock, or capture again",
        )
    return {sha256: store.size(sha256) for sha256 in digests}


def _packs(divided: Iterable[Sequence[str]], store: Store) -> Iterator[Blob]:
    """Yield packs; the first ones stay in memory, others are made again when they are opened."""
    held = 0
    for digests in divided:
        blob = Blob.of(PACK_TYPE, write_pack(digests, store.read))
        held += blob.size
        if held > MOST_HELD:
            blob = blob._replace(open=partial(_open_pack, digests, store))
        yield blob


def _open_pack(digests: Sequence[str], store: Store) -> BinaryIO:
    return io.BytesIO(write_pack(digests, store.read))


def _large(sha256: str, size: int, store: Store) -> Blob:
    return Blob(OBJECT_TYPE, f"sha256:{sha256}", size, lambda: store.stream(sha256))


def _descriptor(blob: Blob) -> dict[str, Any]:
    described = {"mediaType": blob.media_type, "digest": blob.digest, "size": blob.size}
    return described | ({"annotations": {TITLE: blob.name}} if blob.name else {})


class Described(NamedTuple):
    """A blob as a manifest describes it; `name` is the file name of a package."""

    media_type: str
    digest: str
    size: int
    name: str = ""


class Origin(Protocol):
    """Where a shipment is read from: a bundle, a registry."""

    @property
    def name(self) -> str:
        """What messages call it."""

    def blob(self, digest: str, size: int) -> Iterator[bytes]:
        """Yield the content of a blob; raise an EnvlockError when it does not match its digest."""

    def piece(self, digest: str, offset: int, size: int) -> bytes:
        """Return a part of a blob, not verified."""


def parse_manifest(raw: bytes, where: str) -> tuple[Described, ...]:
    """Return the layers of a shipment's manifest.  Raise LockfileError for any other document."""
    layers = _layers(raw, where)
    if not layers or layers[0].media_type != LOCK_TYPE:
        raise LockfileError(
            "it holds no lock", where=where, hint="an image is captured as a target: oci://…"
        )
    if layers[0].size > LARGEST_LOCK:
        raise LockfileError("its manifest is damaged", where=where)
    return layers


def parse_packages(raw: bytes, where: str) -> tuple[Described, ...]:
    """Return the packages that a manifest lists, of a lock or of packages alone.

    Raise LockfileError when it is no manifest.
    """
    return tuple(layer for layer in _layers(raw, where) if layer.media_type == PACKAGE_TYPE)


def _layers(raw: bytes, where: str) -> tuple[Described, ...]:
    try:
        layers = [_described(entry) for entry in parse_json(raw)["layers"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LockfileError("not a manifest of a lock", where=where) from error
    is_sound = all(_DIGEST.match(layer.digest) and layer.size >= 0 for layer in layers)
    if not is_sound or len(layers) > MOST_BLOBS:
        raise LockfileError("its manifest is damaged", where=where)
    return tuple(layers)


def _described(entry: Mapping[str, Any]) -> Described:
    noted = entry.get("annotations") or {}
    media_type = str(noted.get(_REAL_TYPE) or entry["mediaType"])
    name = str(noted.get(TITLE, ""))
    return Described(media_type, str(entry["digest"]), _size(entry["size"]), name)


def _size(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("a size that is no number")
    return value


def read_lock_of(layers: Sequence[Described], origin: Origin) -> bytes:
    """Return the bytes of the lock of a shipment, verified."""
    return b"".join(origin.blob(layers[0].digest, layers[0].size))


def is_complete(tree: str, store: Store) -> bool:
    """True when the store has the tree `tree` (hex) and all content that no package has."""
    return store.has(tree) and all(map(store.has, kept_digests(store.read(tree))[0]))


def unpack_shipment(layers: Sequence[Described], origin: Origin, tree: str, store: Store) -> int:
    """Put the tree `tree` (hex) and its content into the store; return how many objects were new.

    Only what the store lacks is read.  Raise StoreError when the shipment does not have it all, or
    something else than it states; then nothing refers to what was added.
    """
    if not store.has(tree):
        store.put_packed(read_tree_of(layers, origin, tree))
    missing = {sha256 for sha256 in kept_digests(store.read(tree))[0] if not store.has(sha256)}
    found = set()
    for sha256, pieces in read_objects(layers, origin, missing):
        store.put_stream(pieces, sha256)
        found.add(sha256)
    if missing - found:
        raise StoreError(
            f"{len(missing - found)} files of this lock are not in it",
            where=origin.name,
            hint="if it was made --since another one, take that first; else make it again",
        )
    set_ref(store, f"tree {tree}", trees=[tree])
    return len(missing)


def read_tree_of(layers: Sequence[Described], origin: Origin, tree: str) -> bytes:
    """Return the bytes of the tree `tree` (hex).  Raise StoreError when it is not there."""
    found = next((each for each in layers if each.digest == f"sha256:{tree}"), None)
    if found is None or found.size > LARGEST_TREE:
        raise StoreError("the file tree of this lock is not in it", where=origin.name)
    return b"".join(origin.blob(found.digest, found.size))


def objects_of(layers: Sequence[Described], origin: Origin) -> frozenset[str]:
    """Return the digests (hex) of the trees and objects that a shipment has.

    Raise StoreError when a pack is damaged.
    """
    found = {each.digest.removeprefix("sha256:") for each in layers if each.media_type in _WHOLE}
    for layer in layers:
        if layer.media_type == PACK_TYPE:
            found |= {packed.sha256 for packed in table_of(layer, origin)}
    return frozenset(found)


_WHOLE = frozenset({TREE_TYPE, OBJECT_TYPE})


def read_objects(
    layers: Sequence[Described], origin: Origin, wanted: Collection[str]
) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Yield those of the wanted objects that a shipment has: digest (hex) and verified content.

    Raise StoreError when something is damaged.
    """
    left = set(wanted)
    for layer in layers:
        sha256 = layer.digest.removeprefix("sha256:")
        if not left:
            return
        if layer.media_type == OBJECT_TYPE and sha256 in left:
            left.discard(sha256)
            yield sha256, origin.blob(layer.digest, layer.size)
        elif layer.media_type == PACK_TYPE:
            for found, content in _unpacked(layer, origin, frozenset(left)):
                left.discard(found)
                yield found, (content,)


def table_of(layer: Described, origin: Origin) -> tuple[Packed, ...]:
    """Return the objects of a pack, without their content.  Raise StoreError for a damaged one."""
    try:
        return read_table(lambda at, size: origin.piece(layer.digest, at, size))
    except PackError as error:
        raise StoreError(f"a pack is damaged: {error}", where=origin.name) from error


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
        raise StoreError(f"a pack is damaged: {error}", where=origin.name) from error
