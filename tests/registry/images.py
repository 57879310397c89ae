"""Ordinary images in a registry, for tests."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from contextlib import closing

from envlock.registry.client import OCI_MANIFEST, Repository, digest_of
from envlock.registry.reference import Reference
from envlock.registry.transport import Body
from envlock.registry.uploads import put_blob

Files = Mapping[str, bytes | str]
"""Path without its first slash -> content."""

BASE: Files = {
    "etc/os-release": "ID=debian\nVERSION_ID=12\n",
    "bin/sh": b"#!/bin/false\n",
    "usr/local/share/data.bin": bytes(range(256)) * 2000,
}


def layer_of(files: Files) -> bytes:
    """Return a layer, uncompressed."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for path, content in sorted(files.items()):
            member = tarfile.TarInfo(path)
            found = content.encode() if isinstance(content, str) else content
            member.size, member.mode = len(found), 0o644
            archive.addfile(member, io.BytesIO(found))
    return raw.getvalue()


def push_image(
    host: str, name: str, layers: Sequence[Files], environ: Mapping[str, str] | None = None
) -> str:
    """Push an image of these layers, lowest first, as ``NAME:TAG``; return the operand."""
    return push_layers(host, name, [layer_of(files) for files in layers], environ)


def push_layers(
    host: str, name: str, contents: Sequence[bytes], environ: Mapping[str, str] | None = None
) -> str:
    """Push an image of uncompressed layers; see `push_image`."""
    reference = f"oci://{host}/{name}"
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": [f"{k}={v}" for k, v in (environ or {}).items()], "Cmd": ["/bin/sh"]},
        "rootfs": {
            "type": "layers",
            "diff_ids": [f"sha256:{hashlib.sha256(c).hexdigest()}" for c in contents],
        },
    }
    packed = [gzip.compress(content, mtime=0) for content in contents]
    with closing(Repository.open(Reference.parse(reference))) as repository:

        def put(content: bytes, kind: str) -> dict[str, object]:
            digest = digest_of(content)
            put_blob(repository, digest, Body.of(content))
            media_type = f"application/vnd.oci.image.{kind}"
            return {"mediaType": media_type, "digest": digest, "size": len(content)}

        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": put(json.dumps(config).encode(), "config.v1+json"),
            "layers": [put(each, "layer.v1.tar+gzip") for each in packed],
        }
        repository.put_manifest(json.dumps(manifest).encode(), OCI_MANIFEST, name.split(":")[1])
    return reference
