"""Blobs and manifests of a real registry."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

import pytest

from envlock.errors import RegistryError
from envlock.registry.client import OCI_MANIFEST, Repository, digest_of
from envlock.registry.transport import Body
from envlock.registry.uploads import Sent, put_blob

Open = Callable[..., Repository]
CONTENT = bytes(range(256)) * 1024


def manifest_of(*contents: bytes) -> bytes:
    """Return a manifest whose layers have these contents; the first one is its configuration."""
    described = [
        {"mediaType": "application/vnd.example.v1", "digest": digest_of(c), "size": len(c)}
        for c in contents
    ]
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": described[0],
            "layers": described[1:],
        }
    ).encode()


def test_a_blob_comes_back_as_it_was_sent(repository: Open) -> None:
    found = repository()
    digest = digest_of(CONTENT)
    assert found.size_of(digest) is None
    assert put_blob(found, digest, Body.of(CONTENT)) is Sent.UPLOADED
    assert found.size_of(digest) == len(CONTENT)
    assert b"".join(found.blob(digest, len(CONTENT))) == CONTENT


def test_what_is_there_is_not_sent_again(repository: Open) -> None:
    found = repository()
    digest = digest_of(CONTENT)
    put_blob(found, digest, Body.of(CONTENT))

    def never() -> object:
        raise AssertionError("it was read again")

    assert put_blob(found, digest, Body(len(CONTENT), never)) is Sent.PRESENT  # type: ignore[arg-type]


def test_a_blob_of_another_repository_is_mounted(repository: Open) -> None:
    first, second = repository(repository="mount/first"), repository(repository="mount/second")
    digest = digest_of(b"mounted" + CONTENT)
    put_blob(first, digest, Body.of(b"mounted" + CONTENT))
    sent = put_blob(
        second, digest, Body.of(b"mounted" + CONTENT), mount_from=["mount/none", "mount/first"]
    )
    assert sent is Sent.MOUNTED
    assert second.size_of(digest) == len(CONTENT) + 7


def test_wrong_bytes_are_refused_by_the_registry_and_told(repository: Open) -> None:
    found = repository()
    with pytest.raises(RegistryError) as caught:
        put_blob(found, digest_of(b"something else"), Body.of(CONTENT))
    assert "was not accepted" in str(caught.value)
    assert "DIGEST_INVALID" in str(caught.value)


def test_a_blob_that_is_not_there(repository: Open) -> None:
    found = repository()
    with pytest.raises(RegistryError, match="there is no blob"):
        list(found.blob(digest_of(b"none"), 4))


def test_a_blob_of_another_size_than_stated(repository: Open) -> None:
    found = repository()
    digest = digest_of(CONTENT)
    put_blob(found, digest, Body.of(CONTENT))
    with pytest.raises(RegistryError, match="larger than stated"):
        list(found.blob(digest, len(CONTENT) - 1))
    with pytest.raises(RegistryError, match=r"ended early|no blob"):
        list(found.blob(digest, len(CONTENT) + 1))


def test_a_manifest_comes_back_byte_for_byte(repository: Open) -> None:
    found = repository()
    for content in (b"{}", CONTENT):
        put_blob(found, digest_of(content), Body.of(content))
    raw = manifest_of(b"{}", CONTENT)
    digest = found.put_manifest(raw, OCI_MANIFEST, tag="dev")
    assert digest == f"sha256:{hashlib.sha256(raw).hexdigest()}"
    assert found.digest("dev") == digest
    for wanted in ("dev", digest):
        got = found.manifest(wanted)
        assert (got.content, got.digest, got.media_type) == (raw, digest, OCI_MANIFEST)


def test_a_manifest_needs_what_it_refers_to(repository: Open) -> None:
    with pytest.raises(RegistryError, match="the manifest was not accepted"):
        repository().put_manifest(manifest_of(b"{}", b"never sent"), OCI_MANIFEST, tag="dev")


def test_an_unknown_tag(repository: Open) -> None:
    found = repository()
    assert found.digest("none") == ""
    with pytest.raises(RegistryError) as caught:
        found.manifest("none")
    assert "there is no none (404" in str(caught.value)
    assert caught.value.status == 4
