"""Write an OCI image layout with uncompressed layers (OCI Image Format Specification 1.1).

A compressor's output differs between versions and machines; without one the manifest digest is a
function of the lock alone.  Every blob is hashed while it is written, and gets its name only when
it is complete; ``index.json`` is replaced last, atomically.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from envlock.errors import InterruptedByUser, MaterializeError, StoreError
from envlock.materialize.image.blobs import Blob, reuse_blob, write_blob
from envlock.materialize.image.description import Built, BuiltLayer, Image
from envlock.materialize.image.kept_layers import KeptLayers
from envlock.materialize.image.layers import Layer
from envlock.materialize.image.oci import (
    LAYOUT_VERSION,
    blob_path,
    config_bytes,
    index_bytes,
    manifest_bytes,
    read_manifest,
    recipe_of,
)
from envlock.materialize.image.tar import emit, is_archive_of
from envlock.materialize.tree.contents import Contents
from envlock.writing import closing_descriptor, new_directory, replace_file, sync_directory

_WRITERS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutSink:
    """A directory for the OCI layout; the image is built in it, so nothing is left to deliver."""

    directory: Path

    def deliver(self, layout: Path, built: Built) -> str:  # noqa: ARG002
        """Do nothing: `layout` is this directory."""
        return ""


class Known(NamedTuple):
    """Layers that were built before: recipe -> files, and where the layers of this image are kept.

    What they claim to be is not trusted: each is compared with the rows of the layer.
    """

    files: Mapping[str, Sequence[Path]] = MappingProxyType({})
    kept: KeptLayers | None = None


def known_layers(layers: Iterable[Layer], layout: Path, kept: KeptLayers | None = None) -> Known:
    """Return what is there of `layers` in `layout`, if that is one of envlock, and in `kept`."""
    wanted = {recipe_of(layer) for layer in layers}
    there = kept.among(wanted) if kept is not None else {}
    files = {recipe: [path] for recipe, path in there.items()}
    with contextlib.suppress(MaterializeError, OSError):
        for recipe, digest in read_manifest(layout).recipes.items():
            path = blob_path(layout, digest)
            if recipe in wanted and path.is_file():
                files.setdefault(recipe, []).insert(0, path)
    return Known(files, kept)


def write_layout(
    directory: Path,
    image: Image,
    contents: Contents,
    *,
    known: Known = Known(),  # noqa: B008
    tag: str = "latest",
) -> Built:
    """Write `image` into `directory` and return its digests.

    A new directory appears when it is complete; an existing layout of envlock is changed to hold
    exactly this image.  `known` (see `known_layers`) are layers that need not be built.  Raise
    MaterializeError when the directory contains anything else, or when `contents` fails;
    StoreError when the disk is full or the directory cannot be written.
    """
    try:
        if not directory.exists() or not any(directory.iterdir()):
            return _create(directory, image, contents, known, tag)
        if _is_layout(directory):
            return _refill(directory, image, contents, known, tag)
        raise MaterializeError(
            "the output directory is neither empty nor an image layout of envlock",
            where=str(directory),
            hint="name a new directory",
        )
    except OSError as error:
        raise StoreError(
            f"cannot write the image: {error.strerror or error}", where=str(directory)
        ) from error


def _create(directory: Path, image: Image, contents: Contents, known: Known, tag: str) -> Built:
    directory.parent.mkdir(parents=True, exist_ok=True)
    with new_directory(directory) as draft:
        return _fill(draft, image, contents, known, tag)


def _refill(layout: Path, image: Image, contents: Contents, known: Known, tag: str) -> Built:
    """Change a layout while no other process does."""
    with closing_descriptor(os.open(layout, os.O_RDONLY | os.O_DIRECTORY)) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return _fill(layout, image, contents, known, tag)


def _fill(layout: Path, image: Image, contents: Contents, known: Known, tag: str) -> Built:
    """Add the blobs of the image to `layout`, refer to them in the index, delete all others."""
    blobs = layout / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    recipes = [recipe_of(layer) for layer in image.layers]
    layers = _write_layers(blobs, image.layers, recipes, contents, known)
    if known.kept is not None:
        known.kept.tidy(recipes)
    config = write_blob(blobs, (config_bytes(image, (layer.digest for layer in layers)),))
    manifest = write_blob(blobs, (manifest_bytes(image, config, layers, recipes),))
    replace_file(layout / "oci-layout", LAYOUT_VERSION)
    sync_directory(blobs)
    sync_directory(blobs.parent)
    replace_file(layout / "index.json", index_bytes(image, manifest, tag))
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
    known: Known,
) -> list[Blob]:
    """Write the layers, two at once: reading, hashing and writing release Python's global lock."""
    stop = threading.Event()

    def write(layer: Layer, recipe: str) -> Blob:
        blob = _reuse(blobs, layer, recipe, known)
        blob = blob or write_blob(blobs, _until(stop, emit(layer.rows, contents)))
        if known.kept is not None:
            known.kept.keep(layer, recipe, blobs / blob.digest.removeprefix("sha256:"))
        return blob

    with ThreadPoolExecutor(_WRITERS) as pool:
        futures = [pool.submit(write, *job) for job in zip(layers, recipes, strict=True)]
        try:
            return [future.result() for future in futures]
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _reuse(blobs: Path, layer: Layer, recipe: str, known: Known) -> Blob | None:
    """Link or copy a layer that was built before; return None when it is not that layer."""
    for source in known.files.get(recipe, ()):
        try:
            blob = reuse_blob(blobs, source, lambda stream: is_archive_of(stream, layer.rows))
        except FileNotFoundError:  # another process deleted it meanwhile
            continue
        if blob is not None:
            return blob
        if known.kept is not None and known.kept.has(source):
            known.kept.discard(recipe)
    return None


def _until(stop: threading.Event, chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        if stop.is_set():
            raise InterruptedByUser("the image is incomplete")
        yield chunk


def _is_layout(directory: Path) -> bool:
    try:
        read_manifest(directory)
    except MaterializeError:
        return False
    return True


def open_sink(value: str, _tag: str) -> LayoutSink:
    """Return the sink for an option's value and the name of the image; see `SinkRow.open`."""
    return LayoutSink(directory=Path(os.path.realpath(value)))
