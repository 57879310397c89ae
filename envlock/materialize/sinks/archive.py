"""Write one tar that every engine can load: an OCI layout and Docker's older ``manifest.json``.

Engines before 25 read only ``manifest.json``, those with the containerd store only the OCI index
(moby image/tarexport; "docker save" itself writes both since 25).  Layers stay uncompressed:
compression costs time without a use on the same machine, and engine 20.10 cannot read zstd.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from envlock.errors import StoreError
from envlock.materialize.image.blobs import read_file
from envlock.materialize.image.description import Built
from envlock.materialize.image.oci import blob_path, canonical_json, read_manifest
from envlock.materialize.image.tar import BLOCK, END, header
from envlock.model.tree import Entry, EntryType
from envlock.writing import output, write_sparsely

_IMAGE_NAME = "io.containerd.image.name"
_REF_NAME = "org.opencontainers.image.ref.name"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveSink:
    """A file for ``docker load`` and other tools; `tag` names the image, if given."""

    path: Path
    tag: str = ""
    directory: None = None

    def deliver(self, layout: Path, built: Built) -> str:  # noqa: ARG002
        """Write the archive of `layout`."""
        write_archive(self.path, layout, tag=self.tag)
        return ""


def archive_chunks(layout: Path, *, tag: str = "", omit: Iterable[str] = ()) -> Iterator[bytes]:
    """Yield the archive of the image in the directory `layout`.

    `tag` is the name that the image gets in an engine.  `omit` names layers (``sha256:<hex>``) to
    leave out, for a Docker engine that has them already.  Raise MaterializeError when `layout` is
    no layout of envlock, OSError when it cannot be read.
    """
    manifest = read_manifest(layout)
    mtime = int(datetime.fromisoformat(manifest.created).timestamp())
    left_out = frozenset(omit)
    blobs = {manifest.digest, manifest.config, *manifest.layers} - left_out
    small = {
        "/index.json": _index(layout, tag),
        "/manifest.json": _docker_manifest(manifest.config, manifest.layers, tag),
        "/oci-layout": (layout / "oci-layout").read_bytes(),
    }
    for path in ("/blobs", "/blobs/sha256"):
        yield header(Entry(path, EntryType.DIRECTORY, 0o755, mtime=mtime))
    for digest in sorted(blobs):
        blob = blob_path(layout, digest)
        name = f"/blobs/sha256/{blob.name}"
        yield from _file(name, mtime, blob.stat().st_size, read_file(blob))
    for name, content in small.items():
        yield from _file(name, mtime, len(content), (content,))
    yield END


def write_archive(path: Path, layout: Path, *, tag: str = "") -> None:
    """Write the archive to `path`, see `envlock.writing.output`.

    Raise StoreError when it cannot be written, MaterializeError as `archive_chunks` does.
    """
    try:
        with output(path) as stream:
            write_sparsely(stream, archive_chunks(layout, tag=tag))
    except OSError as error:
        raise StoreError(
            f"cannot write the archive: {error.strerror or error}", where=str(path)
        ) from error


def full_name(tag: str) -> str:
    """Return `tag` with registry and version, the form that containerd uses.

    >>> full_name("web")
    'docker.io/library/web:latest'
    """
    first, slash, _ = tag.partition("/")
    if not slash:
        tag = f"docker.io/library/{tag}"
    elif not ("." in first or ":" in first or first == "localhost"):
        tag = f"docker.io/{tag}"
    return tag if ":" in tag.rpartition("/")[2] else f"{tag}:latest"


def _file(path: str, mtime: int, size: int, chunks: Iterable[bytes]) -> Iterator[bytes]:
    yield header(Entry(path, EntryType.FILE, 0o644, mtime=mtime, size=size))
    yield from chunks
    yield bytes(-size % BLOCK)


def _index(layout: Path, tag: str) -> bytes:
    index = json.loads((layout / "index.json").read_bytes())
    name = full_name(tag) if tag else ""
    index["manifests"][0]["annotations"] = (
        {_IMAGE_NAME: name, _REF_NAME: name.rpartition(":")[2]} if name else {}
    )
    return canonical_json(index)


def _docker_manifest(config: str, layers: Iterable[str], tag: str) -> bytes:
    """Return manifest.json (moby image/spec/spec.md, "Combined Image JSON + Filesystem")."""

    def name(digest: str) -> str:
        return digest.replace("sha256:", "blobs/sha256/")

    entry = {
        "Config": name(config),
        "RepoTags": [_short_name(tag)] if tag else None,
        "Layers": [name(layer) for layer in layers],
    }
    return canonical_json([entry])


def _short_name(tag: str) -> str:
    return full_name(tag).removeprefix("docker.io/").removeprefix("library/")


def open_sink(value: str, tag: str) -> ArchiveSink:
    """Return the sink for an option's value and the name of the image; see `SinkRow.open`."""
    return ArchiveSink(path=Path(value), tag=tag)
