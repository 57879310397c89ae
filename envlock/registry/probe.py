"""What a registry can do: each ability is tried with blobs of a few bytes.

Source: OCI distribution-spec 1.1.  Nothing gets a tag, what is written is like nothing else, and it
is deleted again where the registry allows that.  An answer that proves neither that something can
be done nor that it cannot, such as a refusal of this account, leaves it unknown.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from envlock.errors import ManifestRefusedError, RegistryError
from envlock.model.document import parse_json
from envlock.registry.client import (
    ACCEPTED,
    OCI_INDEX,
    OCI_MANIFEST,
    Repository,
    digest_of,
    error_codes,
)
from envlock.registry.tokens import scope_of
from envlock.registry.transport import Answer, Body
from envlock.registry.uploads import Sent, put_blob, put_in_chunks, upload_location

_EMPTY = b"{}"
_ARTIFACT_TYPE = "application/vnd.envlock.probe.v1"
_GONE = (200, 202, 204)
_CHUNK = 4
_LARGEST_LEAST_CHUNK = 1 << 20
"""Where a registry wants larger chunks than this, in bytes, none are sent."""


class Ability(NamedTuple):
    """Whether a registry can do something, None where that is unknown, and what it said."""

    name: str
    is_there: bool | None
    detail: str = ""


class _LackingError(RegistryError):
    """An answer that proves that a registry cannot do something."""


@dataclass(slots=True)
class _Trials:
    """What is tried in one repository, and the digests of what was written there."""

    repository: Repository
    nonce: str = field(default_factory=lambda: secrets.token_hex(16))
    manifests: list[str] = field(default_factory=list)
    blobs: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def blob(self) -> bytes:
        return f"envlock registry probe {self.nonce}\n".encode()

    @property
    def config(self) -> bytes:
        document = {"architecture": "unknown", "os": "unknown", "author": self.nonce}
        return _compact(document | {"rootfs": {"type": "layers", "diff_ids": []}})

    def uploads(self) -> str:
        begun = self.repository.call("POST", "blobs/uploads/", actions="pull,push")
        if begun.status != 202:
            raise self._refused(begun, "cannot upload")
        self._cancel(upload_location(begun))
        for content in (self.blob, self.config):
            self.blobs.append(digest_of(content))
            put_blob(self.repository, digest_of(content), Body.of(content))
        if put_blob(self.repository, digest_of(_EMPTY), Body.of(_EMPTY)) is Sent.UPLOADED:
            self.left.append(f"{digest_of(_EMPTY)}, which artifacts share")
        return ""

    def chunks(self) -> str:
        begun = self.repository.call("POST", "blobs/uploads/", actions="pull,push")
        if begun.status != 202:
            raise self._refused(begun, "cannot upload")
        least = begun.headers.get("oci-chunk-min-length", "")
        size = max(_CHUNK, int(least[:12]) if least.isdecimal() else 0)
        if size > _LARGEST_LEAST_CHUNK:
            self._cancel(upload_location(begun))
            raise RegistryError(f"not tried: its chunks have at least {size:,} bytes")
        content = f"chunks {self.nonce}".encode().ljust(size + 1, b"\n")
        self.blobs.append(digest_of(content))
        answer = put_in_chunks(self.repository, begun, content, size)
        if answer.status not in (201, 202, 204):
            self._cancel(upload_location(begun))
            raise self._refused(answer, "a chunk was not accepted")
        if self.repository.size_of(digest_of(content)) != len(content):
            raise RegistryError("what was sent in chunks is not there")
        return ""

    def mounts(self) -> str:
        own = self.repository.reference.repository
        answer = self.repository.call(
            "POST",
            f"blobs/uploads/?mount={digest_of(self.blob)}&from={own}",
            scopes=(scope_of(own, "pull,push"),),
        )
        if answer.status == 202:
            self._cancel(upload_location(answer))
            raise _LackingError("blobs of other repositories are sent again")
        if answer.status != 201:
            raise self._refused(answer, "a blob was not mounted")
        return "of repositories that the account may read"

    def images(self) -> str:
        config = _described("application/vnd.oci.image.config.v1+json", self.config)
        layers = [_described("application/vnd.oci.image.layer.v1.tar", self.blob)]
        return self._put({"config": config, "layers": layers})

    def artifacts(self) -> str:
        config = _described("application/vnd.oci.empty.v1+json", _EMPTY)
        layers = [_described("application/vnd.envlock.probe.v1+text", self.blob)]
        return self._put({"artifactType": _ARTIFACT_TYPE, "config": config, "layers": layers})

    def indexes(self) -> str:
        there = [self.repository.manifest(d) for d in self.manifests if self.repository.digest(d)]
        if not there:
            raise RegistryError("not tried: there is no manifest that it could list")
        entries = [_described(OCI_MANIFEST, manifest.content) for manifest in there]
        return self._put({"manifests": entries}, OCI_INDEX)

    def referrers(self) -> str:
        answer = self.repository.call("GET", f"referrers/{digest_of(self.blob)}")
        if answer.status in (400, 404, 406):
            raise _LackingError(self._refused(answer, "no list of referrers").message)
        if answer.status != 200 or not _is_index(answer.content):
            raise self._refused(answer, "no list of what refers to a manifest")
        return ""

    def deletion(self) -> str:
        """Delete everything, an index before its manifests; say what is left.

        Many registries delete manifests alone, and collect blobs that none of them names.
        """
        manifests = self._deleted([f"manifests/{digest}" for digest in reversed(self.manifests)])
        blobs = self._deleted([f"blobs/{digest}" for digest in self.blobs])
        left = f"left there: {', '.join(self.left)}" if self.left else ""
        done = manifests or blobs
        if done and not any(done):
            return left
        reasons = [reason for reason in done if reason is not None]
        if not reasons:
            raise RegistryError("; ".join(filter(None, ("nothing could be written", left))))
        is_lacking = all(isinstance(reason, _LackingError) for reason in reasons)
        error = _LackingError if is_lacking and None not in done else RegistryError
        raise error(f"{reasons[0].message}; {left}")

    def _deleted(self, paths: Sequence[str]) -> list[RegistryError | None]:
        """Delete what is there; return for each why it stays, None where it does not."""
        done: list[RegistryError | None] = []
        for path in paths:
            try:
                if self._delete(path):
                    done.append(None)
            except RegistryError as error:
                done.append(error)
                self.left.append(path)
        return done

    def _delete(self, path: str) -> bool:
        """Delete something; False where it never was.  Raise RegistryError where it stays."""
        answer = self.repository.call("DELETE", path, actions="pull,push,delete", tries=1)
        seen = self.repository.call("HEAD", path, headers={"Accept": ", ".join(ACCEPTED)})
        if seen.status == 404:
            return answer.status in _GONE
        if answer.status in _GONE:
            raise RegistryError("it answers that it deleted what is still there")
        raise self._refused(answer, "it is not deleted")

    def _cancel(self, location: str) -> None:
        self.repository.call("DELETE", location, actions="pull,push", tries=1)

    def _put(self, document: dict[str, Any], media_type: str = OCI_MANIFEST) -> str:
        whole = {"schemaVersion": 2, "mediaType": media_type, **document}
        content = _compact(whole)
        self.manifests.append(digest_of(content))
        try:
            self.repository.put_manifest(content, media_type)
        except ManifestRefusedError as error:
            raise _LackingError(error.message) from error
        return ""

    def _refused(self, answer: Answer, what: str) -> RegistryError:
        """Return the error for an answer: a proof that it cannot be done, or none."""
        refused = self.repository.refused(answer, what)
        is_proof = answer.status in (405, 501) or error_codes(answer) == {"UNSUPPORTED"}
        return _LackingError(refused.message) if is_proof else refused


def probe(repository: Repository) -> Iterator[Ability]:
    """Yield what a registry can do in one repository, what can be read before what is written.

    Raise RegistryError when it does not answer.
    """
    yield Ability("answers", True, repository.base.partition(":")[0])
    yield Ability("authentication", bool(repository.authentication), repository.authentication)
    trials = _Trials(repository)
    uploads = _tried("uploads", trials.uploads)
    yield uploads
    if uploads.is_there:
        for name, ask in (
            ("uploads in chunks", trials.chunks),
            ("mounts", trials.mounts),
            ("images", trials.images),
            ("artifact types", trials.artifacts),
            ("indexes", trials.indexes),
            ("referrers", trials.referrers),
        ):
            yield _tried(name, ask)
    if trials.blobs:
        yield _tried("deletion", trials.deletion)


def _tried(name: str, ask: Callable[[], str]) -> Ability:
    try:
        return Ability(name, True, ask())
    except _LackingError as error:
        return Ability(name, False, error.message)
    except RegistryError as error:
        return Ability(name, None, error.message)


def _is_index(content: bytes) -> bool:
    try:
        return isinstance(parse_json(content)["manifests"], list)
    except (ValueError, KeyError, TypeError):
        return False


def _compact(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()


def _described(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}
