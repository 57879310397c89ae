"""The manifest of what travels with a lock: its media types, and how it is read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from envlock.errors import LockfileError
from envlock.model.document import parse_json

ARTIFACT_TYPE = "application/vnd.envlock.lock.v1"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
LOCK_TYPE = "application/vnd.envlock.lock.v1+toml"
TREE_TYPE = "application/vnd.envlock.tree.v1"
"""A file tree as it is; what travels today is compressed."""
OBJECT_TYPE = "application/vnd.envlock.object.v1"
PACKED_TREE_TYPE = "application/vnd.envlock.tree.v1+zstd"
PACKED_OBJECT_TYPE = "application/vnd.envlock.object.v1+zstd"
PACK_TYPE = "application/vnd.envlock.pack.v1"
DELTA_TYPE = "application/vnd.envlock.delta.v1"
PACKAGES_TYPE = "application/vnd.envlock.packages.v1"
"""The artifact type of a manifest that has packages alone."""
PACKAGE_TYPE = "application/vnd.envlock.package.v1"
EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
IMAGE_CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
IMAGE_LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"
TITLE = "org.opencontainers.image.title"
REAL_TYPE = "io.envlock.type"
"""The annotation that has the media type of a layer in a shipment in the form of an image."""
CONTENT = "io.envlock.content"
"""The annotation that has the digest of what a compressed layer holds; of a delta, of its tree."""
SIZE = "io.envlock.size"
"""The annotation that has the size of that in bytes."""

LARGEST_LOCK = 256 * 1024 * 1024
LARGEST_TREE = 1024 * 1024 * 1024
MOST_BLOBS = 20_000
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")
_NUMBER = re.compile(r"[0-9]{1,15}\Z")


class Described(NamedTuple):
    """A blob as a manifest describes it.

    `name` is the file name of a package.  `content` is the digest (hex) of what it holds, which is
    its own where it is not compressed; of a delta, the tree that it has.  `unpacked` is the size of
    that in bytes.
    """

    media_type: str
    digest: str
    size: int
    name: str = ""
    content: str = ""
    unpacked: int = 0


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


def has_tree(layers: tuple[Described, ...], tree: str) -> bool:
    """True when a manifest states that it has the file tree `tree` (hex)."""
    kinds = (TREE_TYPE, PACKED_TREE_TYPE, DELTA_TYPE)
    return any(layer.media_type in kinds and layer.content == tree for layer in layers)


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
    media_type = str(noted.get(REAL_TYPE) or entry["mediaType"])
    digest, size = str(entry["digest"]), _size(entry["size"])
    held, unpacked = str(noted.get(CONTENT) or digest), str(noted.get(SIZE) or size)
    if not _DIGEST.match(held) or not _NUMBER.match(unpacked):
        raise ValueError("annotations that are damaged")
    content = held.removeprefix("sha256:")
    return Described(media_type, digest, size, str(noted.get(TITLE, "")), content, int(unpacked))


def _size(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("a size that is no number")
    return value
