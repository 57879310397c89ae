"""The blobs of an image that was built, as they travel in a bundle or to a registry."""

from __future__ import annotations

from pathlib import Path

from envlock.materialize.image.oci import blob_path
from envlock.model.document import parse_json
from envlock.reading import MAX_DOCUMENT, read_file
from envlock.store.manifests import MANIFEST_TYPE
from envlock.store.shipment import Blob


def image_blobs(layout: Path, manifest_digest: str) -> tuple[Blob, ...]:
    """Return the manifest of an image in an OCI layout, its configuration and its layers."""
    document = parse_json(read_file(blob_path(layout, manifest_digest), MAX_DOCUMENT))
    parts = (document["config"], *document["layers"])
    return (
        _blob(layout, manifest_digest, MANIFEST_TYPE),
        *(_blob(layout, part["digest"], part["mediaType"]) for part in parts),
    )


def _blob(layout: Path, digest: str, media_type: str) -> Blob:
    path = blob_path(layout, digest)
    return Blob(media_type, digest, path.stat().st_size, lambda: path.open("rb"))
