"""An OCI image on disk: a layout directory or a tar archive of one; no engine is needed.

Sources: OCI image-spec (image-layout.md, image-index.md, manifest.md, layer.md); moby's
image/spec for archives of ``docker save``.  Every blob with a digest is verified as it is read.
"""

from __future__ import annotations

import hashlib
import io
import os
import platform
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from envlock.errors import TargetError
from envlock.model.document import parse_json
from envlock.model.process import ProcessConfig
from envlock.model.tree import Entry, EntryType
from envlock.reading import HeaderReader, open_file
from envlock.targets.base import ScanPlan
from envlock.targets.stream.decompress import decompressed
from envlock.targets.stream.run_config import run_configuration
from envlock.targets.stream.streaming import StreamingTarget, literal_roots
from envlock.targets.stream.tar_reader import Member, members

_CHUNK = 1024 * 1024
_LINK_LIMIT = 40
MOST_LAYERS = 1000
"""Most layers of an image; engines allow 127."""
MOST_FILES = 20_000
"""Most files of an archive of a layout: blobs, documents, links to them."""
_JSON_LIMIT = 16 * 1024 * 1024
_REF_NAME = "org.opencontainers.image.ref.name"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "i686": "386", "ppc64le": "ppc64le"}


class Layout:
    """Reads the files of a layout by their names in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._members: dict[str, tarfile.TarInfo] | None = None
        if path.is_dir():
            return
        try:
            self._members = _members_of(path)
        except OSError as error:
            raise TargetError(
                f"the image cannot be read: {error.strerror}",
                where=str(path),
                hint="name an OCI layout: a directory, or a tar archive of one",
            ) from error
        except (tarfile.TarError, ValueError, EOFError, RecursionError, OverflowError) as error:
            raise TargetError(
                "neither an OCI layout nor an archive of one",
                where=str(path),
                hint="name a directory or tar",
            ) from error

    def has(self, name: str) -> bool:
        """True when the layout holds this file."""
        return name in self._members if self._members is not None else (self.path / name).is_file()

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield the content of a file.  Raise TargetError when it is missing."""
        try:
            stream, left = self._open(name)
            with stream:
                while left and (chunk := stream.read(min(left, _CHUNK))):
                    left -= len(chunk)
                    yield chunk
        except (OSError, KeyError) as error:
            raise TargetError(f"the image lacks {name}", where=str(self.path)) from error

    def document(self, name: str) -> Any:
        """Return the value of a JSON file.  Raise TargetError when it is not JSON."""
        return self._parsed(self.chunks(name), name)

    def blob(self, digest: str, size: int | None = None) -> Iterator[bytes]:
        """Yield the content of a blob.

        Raise TargetError when it has another size than a known one, and at its end when its digest
        is wrong.
        """
        algorithm, _, value = digest.partition(":")
        if algorithm != "sha256" or len(value) != 64 or not value.isalnum():
            raise TargetError(f"unknown form of digest {digest!r}", where=str(self.path))
        if size is not None and self._size(f"blobs/sha256/{value}") != size:
            raise TargetError(f"blob {digest} does not have {size:,} bytes", where=str(self.path))
        hashed = hashlib.sha256()
        for chunk in self.chunks(f"blobs/sha256/{value}"):
            hashed.update(chunk)
            yield chunk
        if hashed.hexdigest() != value:
            raise TargetError(f"blob {digest} does not match its digest", where=str(self.path))

    def blob_document(self, digest: str) -> Any:
        """Return the value of a JSON blob, verified."""
        return self._parsed(self.blob(digest), f"blob {digest}")

    def _parsed(self, chunks: Iterable[bytes], name: str) -> Any:
        raw = b""
        for chunk in chunks:
            raw += chunk
            if len(raw) > _JSON_LIMIT:
                raise TargetError(f"{name} is too large", where=str(self.path))
        try:
            return parse_json(raw)
        except ValueError as error:
            raise TargetError(f"{name} is not JSON", where=str(self.path)) from error

    def _size(self, name: str) -> int:
        try:
            stream, size = self._open(name)
        except (OSError, KeyError) as error:
            raise TargetError(f"the image lacks {name}", where=str(self.path)) from error
        stream.close()
        return size

    def _open(self, name: str) -> tuple[io.FileIO, int]:
        if self._members is None:
            if ".." in name.split("/") or name.startswith("/"):
                raise KeyError(name)
            file = self.path / name
            stream = open_file(file)
            return stream, os.fstat(stream.fileno()).st_size
        info = self._members[name]
        stream = open_file(self.path)
        stream.seek(info.offset_data)
        return stream, info.size


def _members_of(path: Path) -> dict[str, tarfile.TarInfo]:
    members: dict[str, tarfile.TarInfo] = {}
    with (
        open_file(path) as raw,
        HeaderReader(raw) as file,
        tarfile.open(fileobj=file, mode="r:") as archive,
    ):
        for info in archive:
            members[info.name.removeprefix("./")] = info
            if len(members) > MOST_FILES:
                raise ValueError(f"more than {MOST_FILES} files")
    return members


class OciTarget(StreamingTarget):
    """One image of a layout."""

    def __init__(
        self, reference: str, layers: Sequence[Callable[[], Iterator[bytes]]], config: Any
    ) -> None:
        super().__init__(reference)
        self._sources = layers
        self._config = config

    @classmethod
    def connect(cls, operand: str) -> OciTarget:
        """Return the image ``PATH[:TAG]``.  A path that exists is taken as it is."""
        path, _, tag = operand.rpartition(":")
        if path and not Path(operand).exists() and "/" not in tag:
            return cls.at(Path(path), tag)
        return cls.at(Path(operand))

    @classmethod
    def at(cls, path: Path, tag: str = "") -> OciTarget:
        """Return the image `tag` of the layout at `path`; without a tag the only one there is."""
        layout = Layout(path)
        reference = f"oci:{path}:{tag}" if tag else f"oci:{path}"
        try:
            if layout.has("index.json"):
                layers, config = _oci_image(layout, tag)
            else:
                layers, config = _docker_image(layout)
        except (KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
            raise TargetError("the image's manifest is damaged", where=reference) from error
        return cls(reference, layers, config)

    def process(self) -> ProcessConfig:
        """Return the run configuration of the image."""
        return run_configuration(self._config.get("config") or {})

    def programs(self) -> frozenset[str]:
        """Return nothing: an image that is only stored does not run."""
        return frozenset()

    def preload(self, patterns: Iterable[str]) -> None:
        """Read the layers once without hashing, and retain what `patterns` may match."""
        wanted = {path.rstrip("/") for path in literal_roots(patterns)}

        def retain(path: str) -> bool:
            while path:
                if path in wanted:
                    return True
                path = path.rpartition("/")[0]
            return False

        self._tree = self._read_layers(ScanPlan(digest=False, retain=retain))

    def _stat_in_root(self, path: str) -> Entry | None:
        if self._tree.entries:  # `preload` has read every path
            return None
        return next((entry for entry, _ in self._fetch(path)), None)

    def _layers(self) -> Iterator[Iterable[bytes]]:
        for source in self._sources:
            yield decompressed(source(), self.reference)

    def _fetch(self, path: str) -> Iterator[Member]:
        wanted, steps = path, 0
        sources = list(self._sources)  # from the last: what it has hides what is below
        while sources and steps <= _LINK_LIMIT:
            member = self._find(sources[-1], wanted)
            if member is None:
                sources.pop()
            elif member.entry.type is EntryType.HARDLINK:
                wanted, steps = member.entry.target, steps + 1
            else:
                yield member._replace(entry=member.entry._replace(path=path))
                return

    def _find(self, source: Callable[[], Iterator[bytes]], path: str) -> Member | None:
        """Return the member of a layer at a path, its content not yet read; None without one."""
        found = self._named(source, path)
        if path in self._repeated:  # the last one counts
            found = islice(found, max(sum(1 for _ in self._named(source, path)) - 1, 0), None)
        return next(found, None)

    def _named(self, source: Callable[[], Iterator[bytes]], path: str) -> Iterator[Member]:
        for member in members(decompressed(source(), self.reference), self.reference):
            if member.entry.path == path:
                yield member


def _oci_image(
    layout: Layout, tag: str
) -> tuple[list[Callable[[], Iterator[bytes]]], Mapping[str, Any]]:
    manifest = _manifest(layout, layout.document("index.json")["manifests"], tag)
    layers = [_blob_source(layout, layer) for layer in _bounded(manifest["layers"], layout)]
    return layers, layout.blob_document(manifest["config"]["digest"])


def _manifest(layout: Layout, descriptors: Sequence[Any], tag: str) -> Any:
    """Return the manifest of `tag`; of several, the one for this machine's architecture."""
    if tag:
        named = [d for d in descriptors if (d.get("annotations") or {}).get(_REF_NAME) == tag]
        if not named:
            known = sorted({(d.get("annotations") or {}).get(_REF_NAME, "") for d in descriptors})
            raise TargetError(
                f"the layout has no image {tag!r}",
                where=str(layout.path),
                hint=f"it has {', '.join(name or 'an image without a name' for name in known)}",
            )
        descriptors = named
    machine = platform.machine()
    architecture = ARCHITECTURES.get(machine, machine)
    fitting = [
        d for d in descriptors if (d.get("platform") or {}).get("architecture") == architecture
    ]
    chosen = (fitting or descriptors)[0]
    if len(descriptors) > 1 and len(fitting) != 1:
        raise TargetError(
            "the layout holds several images", where=str(layout.path), hint="add :TAG to the path"
        )
    document = layout.blob_document(chosen["digest"])
    return _manifest(layout, document["manifests"], "") if "manifests" in document else document


def _docker_image(
    layout: Layout,
) -> tuple[list[Callable[[], Iterator[bytes]]], Mapping[str, Any]]:
    manifests = layout.document("manifest.json")
    if len(manifests) != 1:
        raise TargetError("the archive holds several images", where=str(layout.path))
    layers = [_file_source(layout, name) for name in _bounded(manifests[0]["Layers"], layout)]
    return layers, layout.document(manifests[0]["Config"])


def _bounded(layers: Sequence[Any], layout: Layout) -> Sequence[Any]:
    if len(layers) > MOST_LAYERS:
        raise TargetError(f"an image of more than {MOST_LAYERS} layers", where=str(layout.path))
    return layers


def _blob_source(layout: Layout, layer: Mapping[str, Any]) -> Callable[[], Iterator[bytes]]:
    digest, size = str(layer["digest"]), layer.get("size")
    return lambda: layout.blob(digest, size if isinstance(size, int) else None)


def _file_source(layout: Layout, name: str) -> Callable[[], Iterator[bytes]]:
    return lambda: layout.chunks(name)
