"""The root directory of a sandbox as an OCI image, the form in which it is captured."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from envlock.config.declare_table import Declaration

_LAYER = "application/vnd.oci.image.layer.v1.tar"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def write_layout(archive: Path, folder: Path, declaration: Declaration, architecture: str) -> None:
    """Make an OCI layout in the new directory `folder` of a tar archive, which is moved there.

    `architecture` is in Debian's words, which for amd64 and arm64 are OCI's.  Raise OSError.
    """
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    with archive.open("rb") as stream:
        layer = hashlib.file_digest(stream, "sha256").hexdigest()
    size = archive.stat().st_size
    os.rename(archive, blobs / layer)
    environ = {"PATH": _PATH, **dict(declaration.env)}
    given = {
        "Env": [f"{name}={value}" for name, value in environ.items()],
        "Cmd": list(declaration.cmd),
        "User": declaration.user,
    }
    config = {
        "architecture": architecture,
        "os": "linux",
        "config": {name: value for name, value in given.items() if value},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer}"]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": _put(blobs, _CONFIG, config),
        "layers": [{"mediaType": _LAYER, "digest": f"sha256:{layer}", "size": size}],
    }
    index = {"schemaVersion": 2, "manifests": [_put(blobs, _MANIFEST, manifest)]}
    (folder / "index.json").write_text(json.dumps(index))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')


def _put(blobs: Path, media_type: str, document: Mapping[str, object]) -> dict[str, object]:
    content = json.dumps(document, sort_keys=True).encode()
    digest = hashlib.sha256(content).hexdigest()
    (blobs / digest).write_bytes(content)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}
