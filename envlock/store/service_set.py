"""The locks of the services of one project: an OCI index with a manifest for each service.

What an entry is stands in its annotations: copying tools drop the artifact type of an index.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from envlock.errors import LockfileError
from envlock.store.manifests import ARTIFACT_TYPE, MANIFEST_TYPE
from envlock.store.shipment import Blob

SET_TYPE = "application/vnd.envlock.set.v1"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
MOST_SERVICES = 1000
"""Most services of one index."""
NO_PLATFORM = {"architecture": "unknown", "os": "unknown"}
"""Engines that look for an image pass by an entry of an index that says so."""

_SERVICE = "io.envlock.service"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,252}\Z")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")


def index_of_services(manifests: Mapping[str, bytes], *, with_types: bool = True) -> bytes:
    """Return the index of manifests by name of service; the same ones give the same bytes.

    A registry that knows only images takes it without the types of artifacts.  Raise LockfileError
    for a name that no index can have, and for too many.
    """
    _require_sound(manifests, "the services")
    entries = [
        lock_entry(manifest) | {"annotations": {_SERVICE: name}}
        for name, manifest in sorted(manifests.items())
    ]
    if not with_types:
        for entry in entries:
            del entry["artifactType"]
    document = {
        "schemaVersion": 2,
        "mediaType": INDEX_TYPE,
        "manifests": entries,
        "annotations": {"io.envlock.format": "1"},
        **({"artifactType": SET_TYPE} if with_types else {}),
    }
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()


def lock_entry(manifest: bytes) -> dict[str, Any]:
    """Return the entry of the manifest of a lock in an index."""
    blob = Blob.of(MANIFEST_TYPE, manifest)
    return {
        "mediaType": MANIFEST_TYPE,
        "digest": blob.digest,
        "size": blob.size,
        "artifactType": ARTIFACT_TYPE,
        "platform": NO_PLATFORM,
    }


def services_of(document: Mapping[str, Any], where: str) -> Mapping[str, str]:
    """Return the digests of the manifests of an index, by name of service, sorted.

    Nothing for any other document.  Raise LockfileError for an index that is damaged.
    """
    entries = document.get("manifests")
    found: dict[str, str] = {}
    for entry in entries if isinstance(entries, list) else ():
        noted = entry.get("annotations") if isinstance(entry, dict) else None
        name = noted.get(_SERVICE) if isinstance(noted, dict) else None
        if name is None:
            continue
        digest = str(entry.get("digest"))
        if not isinstance(name, str) or name in found or not _DIGEST.match(digest):
            raise LockfileError("its index of services is damaged", where=where)
        found[name] = digest
    _require_sound(found, where)
    return dict(sorted(found.items()))


def _require_sound(names: Mapping[str, object], where: str) -> None:
    if len(names) > MOST_SERVICES:
        raise LockfileError(f"more than {MOST_SERVICES:,} services", where=where)
    for name in names:
        if not _NAME.match(name):
            raise LockfileError(f"not the name of a service: {name!r}", where=where)
