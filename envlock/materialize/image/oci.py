"""The JSON documents of an OCI image, and reading them back from a layout.

OCI Image Format Specification 1.1: manifest.md, config.md, image-layout.md.  The documents are
canonical JSON, so that the manifest digest is a function of the image alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from envlock.errors import MaterializeError
from envlock.materialize.image.blobs import Blob
from envlock.materialize.image.description import Image
from envlock.materialize.image.layers import Layer
from envlock.materialize.image.tar import header
from envlock.model.document import parse_json
from envlock.model.process import ProcessConfig
from envlock.reading import MAX_DOCUMENT, read_file
from envlock.targets.stream.run_config import health_options

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
INDEX = "application/vnd.oci.image.index.v1+json"

LAYOUT_VERSION = b'{"imageLayoutVersion":"1.0.0"}'
"""Content of the file ``oci-layout``."""

_FORMAT = "1"
_MARK = "io.envlock.layout"
_RECIPE = "io.envlock.recipe"
_LAYER_NAME = "io.envlock.layer"
_REF_NAME = "org.opencontainers.image.ref.name"


class Manifest(NamedTuple):
    """The digests in a layout of envlock; `recipes` maps the recipe of each layer to its digest."""

    digest: str
    config: str
    layers: tuple[str, ...]
    recipes: Mapping[str, str]
    created: str


def recipe_of(layer: Layer) -> str:
    """Return a digest of everything that determines the bytes of a layer.

    It needs no content: the headers of the rows and the digests of their content suffice.
    """
    digest = hashlib.sha256(b"envlock:layer:v1")
    for row in layer.rows:
        digest.update(header(row.entry))
        digest.update(row.entry.sha256.encode())
    return digest.hexdigest()


def canonical_json(value: object) -> bytes:
    """Return `value` as JSON with sorted keys, no spaces, and only ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _health(process: ProcessConfig) -> dict[str, object]:
    """Return the health check; none if it was recorded without a secret that it needs."""
    if not process.healthcheck or any("***" in word for word in process.healthcheck):
        return {}
    return {"Test": list(process.healthcheck), **health_options(process.healthcheck_times)}


def config_bytes(image: Image, diff_ids: Iterable[str]) -> bytes:
    """Return the image config (OCI image-spec, config.md); `diff_ids` are the layers' digests."""
    created = _timestamp(image.created)
    process = image.process
    settings: dict[str, object] = {
        "Cmd": list(process.cmd),
        "Entrypoint": list(process.entrypoint),
        "Env": [f"{name}={value}" for name, value in sorted(process.environ.items())],
        "ExposedPorts": {port: {} for port in process.ports},
        "Labels": dict(process.labels),
        "Healthcheck": _health(process),
        "Shell": list(process.shell),
        "StopSignal": process.stop_signal,
        "User": process.user,
        "Volumes": {path: {} for path in process.volumes},
        "WorkingDir": process.workdir,
    }
    platform = {
        "architecture": image.platform.architecture,
        "os": image.platform.os,
        "variant": image.platform.variant,
    }
    return canonical_json(
        {
            **{name: value for name, value in platform.items() if value},
            "config": {name: value for name, value in settings.items() if value},
            "created": created,
            "history": [
                {"created": created, "created_by": f"envlock: {layer.name}"}
                for layer in image.layers
            ],
            "rootfs": {"type": "layers", "diff_ids": list(diff_ids)},
        }
    )


def manifest_bytes(
    image: Image, config: Blob, layers: Sequence[Blob], recipes: Sequence[str]
) -> bytes:
    """Return the image manifest (OCI image-spec, manifest.md)."""
    return canonical_json(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "digest": config.digest, "size": config.size},
            "layers": [
                {
                    "mediaType": LAYER,
                    "digest": blob.digest,
                    "size": blob.size,
                    "annotations": {_LAYER_NAME: layer.name, _RECIPE: recipe},
                }
                for blob, layer, recipe in zip(layers, image.layers, recipes, strict=True)
            ],
        }
    )


def index_bytes(image: Image, manifest: Blob, tag: str) -> bytes:
    """Return index.json (OCI image-spec, image-layout.md); `tag` is its reference name."""
    platform = image.platform._asdict().items()
    return canonical_json(
        {
            "schemaVersion": 2,
            "mediaType": INDEX,
            "annotations": {_MARK: _FORMAT},
            "manifests": [
                {
                    "mediaType": MANIFEST,
                    "digest": manifest.digest,
                    "size": manifest.size,
                    "platform": {name: value for name, value in platform if value},
                    "annotations": {_REF_NAME: tag},
                }
            ],
        }
    )


def blob_path(layout: Path, digest: str) -> Path:
    """Return the path of the blob ``sha256:<hex>`` in a layout."""
    return layout / "blobs" / "sha256" / digest.removeprefix("sha256:")


def read_manifest(layout: Path) -> Manifest:
    """Read the layout of envlock in the directory `layout`.

    Raise MaterializeError when it is damaged, or not written by envlock.
    """
    try:
        index = parse_json(read_file(layout / "index.json", MAX_DOCUMENT))
        if index["annotations"][_MARK] != _FORMAT:
            raise KeyError(_MARK)
        digest = index["manifests"][0]["digest"]
        manifest = _read_json(layout, digest)
        config = _read_json(layout, manifest["config"]["digest"])
        return Manifest(
            digest,
            manifest["config"]["digest"],
            tuple(layer["digest"] for layer in manifest["layers"]),
            {layer["annotations"][_RECIPE]: layer["digest"] for layer in manifest["layers"]},
            config["created"],
        )
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise MaterializeError("not an image layout of envlock", where=str(layout)) from error


def _read_json(layout: Path, digest: str) -> Any:
    content = read_file(blob_path(layout, digest), MAX_DOCUMENT)
    if digest != f"sha256:{hashlib.sha256(content).hexdigest()}":
        raise ValueError(digest)
    return parse_json(content)


def _timestamp(seconds: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
