"""Write an OCI image layout with uncompressed layers (OCI Image Format Specification 1.1).

A compressor's output differs between versions and machines; without one the manifest digest is a
function of the lock alone.  Every blob is hashed while it is written, and appears under its name
only when whole; ``index.json`` is replaced last, in one step.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from envlock.errors import InterruptedByUser, MaterializeError, StoreError
from envlock.materialize.image.blobs import (
    Blob,
    replace_file,
    reuse_blob,
    sync_directory,
    write_blob,
)
from envlock.materialize.image.description import Built, BuiltLayer, Image
from envlock.materialize.image.layers import Layer
from envlock.materialize.image.tar import emit, header, is_archive_of
from envlock.materialize.tree.contents import Contents

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
INDEX = "application/vnd.oci.image.index.v1+json"

LAYOUT_VERSION = b'{"imageLayoutVersion":"1.0.0"}'
"""Content of the file ``oci-layout``."""

_FORMAT = "1"
_MARK = "io.envlock.layout"
_RECIPE = "io.envlock.recipe"
_NAME = "io.envlock.layer"
_REF_NAME = "org.opencontainers.image.ref.name"
_WRITERS = 2


class Manifest(NamedTuple):
    """What a layout of ours holds: digests, and for each layer its recipe and file."""

    digest: str
    config: str
    layers: tuple[str, ...]
    recipes: Mapping[str, str]
    created: str


def recipe_of(layer: Layer) -> str:
    """Return the digest of all that determines a layer's bytes, without reading any content."""
    digest = hashlib.sha256(b"envlock:layer:v1")
    for row in layer.rows:
        digest.update(header(row.entry))
        digest.update(row.entry.sha256.encode())
    return digest.hexdigest()


def reusable(layers: Iterable[Layer], layouts: Iterable[Path]) -> dict[str, Path]:
    """Return recipe -> blob for every layer that one of our `layouts` already holds.

    Directories that are no layout of ours are passed over.  What a layout says of itself is not
    trusted: `write_layout` compares such a blob with the layer's rows before it takes it.
    """
    wanted = {recipe_of(layer) for layer in layers}
    found: dict[str, Path] = {}
    for layout in layouts:
        with contextlib.suppress(MaterializeError, OSError):
            for recipe, digest in read_manifest(layout).recipes.items():
                path = blob_path(layout, digest)
                if recipe in wanted and path.is_file():
                    found.setdefault(recipe, path)
    return found


def write_layout(
    directory: Path,
    image: Image,
    contents: Contents,
    *,
    reuse: Mapping[str, Path] | None = None,
    tag: str = "latest",
) -> Built:
    """Write `image` into `directory` and return its digests.

    A new or empty directory appears when it is complete; a layout of ours is changed to hold
    exactly this image.  `reuse` (see `reusable`) names layers to copy instead of building.
    Raise MaterializeError when the directory holds something else, and for what `contents` cannot
    give; StoreError when the disk cannot take it.
    """
    try:
        if not directory.exists() or not any(directory.iterdir()):
            return _create(directory, image, contents, reuse or {}, tag)
        if _is_ours(directory):
            return _fill(directory, image, contents, reuse or {}, tag)
        raise MaterializeError(
            "the output directory holds something else than a layout of envlock",
            where=str(directory),
            hint="name a new directory",
        )
    except OSError as error:
        raise StoreError(
            f"cannot write the image: {error.strerror or error}", where=str(directory)
        ) from error


def blob_path(layout: Path, digest: str) -> Path:
    """Return where a layout keeps the blob ``sha256:<hex>``."""
    return layout / "blobs" / "sha256" / digest.removeprefix("sha256:")


def read_manifest(layout: Path) -> Manifest:
    """Return what the layout of ours in `layout` holds.  Raise MaterializeError for any other."""
    try:
        index = json.loads((layout / "index.json").read_bytes())
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
    content = blob_path(layout, digest).read_bytes()
    if digest != f"sha256:{hashlib.sha256(content).hexdigest()}":
        raise ValueError(digest)
    return json.loads(content)


def canonical_json(value: object) -> bytes:
    """Return the one JSON text for `value`: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def config_bytes(image: Image, diff_ids: Iterable[str]) -> bytes:
    """Return the image config (OCI image-spec, config.md)."""
    created = _timestamp(image.created)
    process = image.process
    settings: dict[str, object] = {
        "Cmd": list(process.cmd),
        "Entrypoint": list(process.entrypoint),
        "Env": [f"{name}={value}" for name, value in sorted(process.environ.items())],
        "ExposedPorts": {port: {} for port in process.ports},
        "Labels": dict(process.labels),
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


def _create(
    directory: Path, image: Image, contents: Contents, reuse: Mapping[str, Path], tag: str
) -> Built:
    directory.parent.mkdir(parents=True, exist_ok=True)
    draft = directory.parent / f".{directory.name}.{secrets.token_hex(4)}"
    draft.mkdir()
    try:
        built = _fill(draft, image, contents, reuse, tag)
        draft.rename(directory)
        sync_directory(directory.parent)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return built


def _fill(
    layout: Path, image: Image, contents: Contents, reuse: Mapping[str, Path], tag: str
) -> Built:
    """Add the image's blobs to `layout`, point the index to them, remove all others."""
    blobs = layout / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    recipes = [recipe_of(layer) for layer in image.layers]
    layers = _write_layers(blobs, image.layers, recipes, contents, reuse)
    config = write_blob(blobs, (config_bytes(image, (layer.digest for layer in layers)),))
    manifest = write_blob(blobs, (_manifest(image, config, layers, recipes),))
    replace_file(layout / "oci-layout", (LAYOUT_VERSION,))
    sync_directory(blobs)
    replace_file(layout / "index.json", (_index(image, manifest, tag),))
    sync_directory(layout)
    needed = {blob.digest.removeprefix("sha256:") for blob in (*layers, config, manifest)}
    for path in blobs.iterdir():
        if path.name not in needed:
            path.unlink()
    return Built(
        manifest.digest,
        config.digest,
        config.digest,
        tuple(
            BuiltLayer(blob.digest, blob.size, layer.packages)
            for blob, layer in zip(layers, image.layers, strict=True)
        ),
    )


def _write_layers(
    blobs: Path,
    layers: tuple[Layer, ...],
    recipes: list[str],
    contents: Contents,
    reuse: Mapping[str, Path],
) -> list[Blob]:
    """Write the layers, two at a time: reading, hashing and writing release the interpreter."""
    stop = threading.Event()

    def write(layer: Layer, recipe: str) -> Blob:
        source = reuse.get(recipe)
        known = _reuse(blobs, source, layer) if source is not None else None
        return known or write_blob(blobs, _until(stop, emit(layer.rows, contents)))

    with ThreadPoolExecutor(_WRITERS) as pool:
        futures = [pool.submit(write, *job) for job in zip(layers, recipes, strict=True)]
        try:
            return [future.result() for future in futures]
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _reuse(blobs: Path, source: Path, layer: Layer) -> Blob | None:
    """Take over a layer that another layout says is this one, if it is."""
    with source.open("rb") as stream:
        if not is_archive_of(stream, layer.rows):
            return None
    return reuse_blob(blobs, source)


def _until(stop: threading.Event, chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        if stop.is_set():
            raise InterruptedByUser("the image was not finished")
        yield chunk


def _manifest(image: Image, config: Blob, layers: list[Blob], recipes: list[str]) -> bytes:
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
                    "annotations": {_NAME: layer.name, _RECIPE: recipe},
                }
                for blob, layer, recipe in zip(layers, image.layers, recipes, strict=True)
            ],
        }
    )


def _index(image: Image, manifest: Blob, tag: str) -> bytes:
    """Return index.json (OCI image-spec, image-layout.md)."""
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


def _timestamp(seconds: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _is_ours(directory: Path) -> bool:
    try:
        read_manifest(directory)
    except MaterializeError:
        return False
    return True
