"""What a registry can do: each ability is tried with blobs of a few bytes.

Source: OCI distribution-spec 1.1.  Nothing gets a tag, and what was written is deleted again where
the registry allows it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from envlock.errors import RegistryError
from envlock.registry.client import OCI_INDEX, OCI_MANIFEST, Repository, digest_of
from envlock.registry.transport import Body
from envlock.registry.uploads import mount, put_blob, upload_location

_BLOB = b"envlock registry probe\n"
_CONFIG = b'{"architecture":"unknown","os":"unknown","rootfs":{"diff_ids":[],"type":"layers"}}'
_EMPTY = b"{}"
_ARTIFACT_TYPE = "application/vnd.envlock.probe.v1"


class Ability(NamedTuple):
    """Whether a registry can do something, and what it said where it cannot."""

    name: str
    is_there: bool
    detail: str = ""


def probe(repository: Repository) -> Iterator[Ability]:
    """Yield what a registry can do in one repository, what can be read before what is written.

    Raise RegistryError when it does not answer.
    """
    yield Ability("answers", True, repository.base.partition(":")[0])
    yield Ability("authentication", bool(repository.authentication), repository.authentication)
    written: list[bytes] = []
    for name, ask in _TRIALS:
        try:
            detail = ask(repository, written)
        except RegistryError as error:
            yield Ability(name, False, error.message)
            if name == "uploads":
                return
        else:
            yield Ability(name, True, detail)
    yield _deletion(repository, written)


def _uploads(repository: Repository, _written: list[bytes]) -> str:
    for content in (_BLOB, _CONFIG, _EMPTY):
        put_blob(repository, digest_of(content), Body.of(content))
    return ""


def _chunks(repository: Repository, _written: list[bytes]) -> str:
    begun = repository.call("POST", "blobs/uploads/", actions="pull,push")
    place = upload_location(begun)
    sent = repository.call(
        "PATCH",
        place,
        headers={"Content-Type": "application/octet-stream", "Content-Range": "0-3"},
        body=Body.of(_BLOB[:4]),
        actions="pull,push",
        tries=1,
    )
    repository.call("DELETE", upload_location(sent, place), actions="pull,push", tries=1)
    if sent.status not in (201, 202, 204):
        raise repository.refused(sent, "a chunk was not accepted")
    return ""


def _mounts(repository: Repository, _written: list[bytes]) -> str:
    if not mount(repository, digest_of(_BLOB), repository.reference.repository):
        raise RegistryError("blobs of other repositories are sent again")
    return ""


def _images(repository: Repository, written: list[bytes]) -> str:
    config = _described("application/vnd.oci.image.config.v1+json", _CONFIG)
    layers = [_described("application/vnd.oci.image.layer.v1.tar", _BLOB)]
    return _put(repository, written, {"config": config, "layers": layers})


def _artifacts(repository: Repository, written: list[bytes]) -> str:
    config = _described("application/vnd.oci.empty.v1+json", _EMPTY)
    layers = [_described("application/vnd.envlock.probe.v1+text", _BLOB)]
    more = {"artifactType": _ARTIFACT_TYPE, "config": config, "layers": layers}
    return _put(repository, written, more)


def _indexes(repository: Repository, written: list[bytes]) -> str:
    entries = [_described(OCI_MANIFEST, manifest) for manifest in written]
    return _put(repository, written, {"manifests": entries}, OCI_INDEX)


def _referrers(repository: Repository, written: list[bytes]) -> str:
    digest = digest_of(written[0] if written else _BLOB)
    answer = repository.call("GET", f"referrers/{digest}")
    if answer.status != 200:
        raise repository.refused(answer, "no list of what refers to a manifest")
    return ""


_TRIALS: tuple[tuple[str, Callable[[Repository, list[bytes]], str]], ...] = (
    ("uploads", _uploads),
    ("uploads in chunks", _chunks),
    ("mounts", _mounts),
    ("images", _images),
    ("artifact types", _artifacts),
    ("indexes", _indexes),
    ("referrers", _referrers),
)


def _deletion(repository: Repository, written: list[bytes]) -> Ability:
    """Delete the manifests, the index first, and say whether that is allowed."""
    refused = ""
    for manifest in reversed(written):
        path = f"manifests/{digest_of(manifest)}"
        answer = repository.call("DELETE", path, actions="pull,push,delete", tries=1)
        if answer.status not in (200, 202, 204, 404):
            refused = repository.refused(answer, "manifests without a tag stay").message
    return Ability("deletion", not refused, refused)


def _put(
    repository: Repository,
    written: list[bytes],
    document: dict[str, Any],
    media_type: str = OCI_MANIFEST,
) -> str:
    whole = {"schemaVersion": 2, "mediaType": media_type, **document}
    content = json.dumps(whole, separators=(",", ":"), sort_keys=True).encode()
    repository.put_manifest(content, media_type)
    written.append(content)
    return ""


def _described(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}
