"""A bundle: a shipment in one file, a tar of an OCI layout that other tools can copy as well.

Names are sorted, times are zero and owners are root, so the same shipment gives the same file.
``index.json`` comes last: a file that was cut has none.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple, Self

from envlock.errors import StoreError
from envlock.model.document import parse_json
from envlock.reading import HeaderReader, open_file
from envlock.store.manifests import ARTIFACT_TYPE, MANIFEST_TYPE
from envlock.store.shipment import Blob, Shipment
from envlock.writing import output

LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'
MOST_MEMBERS = 40_000
"""Most files of a bundle that is read."""
LARGEST_MANIFEST = 16 * 1024 * 1024
_PIECE = 1024 * 1024


def write_bundle(path: Path, shipment: Shipment, name: str, image: Sequence[Blob] = ()) -> None:
    """Write a shipment into a file, which is complete or not there.

    `name` is the tag of the manifest in the layout.  `image` are the manifest of an image and its
    blobs, which gets the tag ``NAME-image``.
    """
    manifest = Blob.of(MANIFEST_TYPE, shipment.manifest)
    entries = [_entry(manifest, name, artifactType=ARTIFACT_TYPE)]
    entries += [_entry(blob, f"{name}-image") for blob in image[:1]]
    index = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": entries,
    }
    blobs = {blob.digest: blob for blob in (manifest, *shipment.blobs, *image)}
    with (
        output(path) as stream,
        tarfile.open(fileobj=stream, mode="w|", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for digest in sorted(blobs):
            _add_blob(archive, blobs[digest])
        for file, content in (("oci-layout", LAYOUT), ("index.json", _json(index))):
            archive.addfile(_info(file, len(content)), io.BytesIO(content))


def _entry(manifest: Blob, tag: str, **more: str) -> dict[str, Any]:
    return {
        "mediaType": MANIFEST_TYPE,
        "digest": manifest.digest,
        "size": manifest.size,
        "annotations": {"org.opencontainers.image.ref.name": tag},
        **more,
    }


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _info(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    return info


def _add_blob(archive: tarfile.TarFile, blob: Blob) -> None:
    """Add a blob.  Raise StoreError when its content is not what its digest says."""
    name = f"blobs/sha256/{blob.digest.removeprefix('sha256:')}"
    with blob.open() as content:
        hashing = _Hashing(content)
        archive.addfile(_info(name, blob.size), hashing)
        if hashing.digest != blob.digest:
            raise StoreError("an object changed while it was read", where=blob.digest)


class _Hashing:
    """Reads a stream and hashes what was read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        piece = self._stream.read(size)
        self._hash.update(piece)
        return piece

    @property
    def digest(self) -> str:
        """The digest of everything that was read."""
        return f"sha256:{self._hash.hexdigest()}"


class _Member(NamedTuple):
    """Where a file lies in the tar."""

    offset: int
    size: int


class Bundle:
    """A bundle that is read by offset, without unpacking; every blob is verified."""

    def __init__(self, path: Path) -> None:
        """Open a bundle.  Raise StoreError for a file that is none."""
        self.name = str(path)
        try:
            self._file = open_file(path)
        except OSError as error:
            raise StoreError(
                f"cannot read the bundle: {error.strerror or error}", where=self.name
            ) from error
        try:
            self._members = self._scan()
        except (tarfile.TarError, ValueError, EOFError, OverflowError, RecursionError) as error:
            self._file.close()
            raise StoreError(f"not a bundle of envlock: {error}", where=self.name) from error
        except OSError as error:
            self._file.close()
            raise StoreError(f"cannot read the bundle: {error}", where=self.name) from error

    def _scan(self) -> dict[str, _Member]:
        found: dict[str, _Member] = {}
        with (
            HeaderReader(open_file(self.name)) as reader,
            tarfile.open(fileobj=reader, mode="r:") as archive,
        ):
            for info in archive:
                if not info.isreg() or info.name in found or info.issparse():
                    raise ValueError(f"an unexpected entry {info.name!r}")
                found[info.name] = _Member(info.offset_data, info.size)
                if len(found) > MOST_MEMBERS:
                    raise ValueError(f"more than {MOST_MEMBERS} files")
        if "index.json" not in found:
            raise ValueError("it has no index; was it cut?")
        return found

    def manifest(self) -> bytes:
        """Return the manifest of its lock, verified."""
        try:
            index = parse_json(b"".join(self._content("index.json", LARGEST_MANIFEST)))
            entries = [e for e in index["manifests"] if e.get("artifactType") == ARTIFACT_TYPE]
            digest, size = str(entries[0]["digest"]), int(entries[0]["size"])
        except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
            raise StoreError("the bundle holds no lock", where=self.name) from error
        if size > LARGEST_MANIFEST:
            raise StoreError("its manifest is too large", where=self.name)
        return b"".join(self.blob(digest, size))

    def blob(self, digest: str, size: int) -> Iterator[bytes]:
        """Yield the content of a blob.

        Raise StoreError when it is missing, or has another size or digest than stated.
        """
        hashed = hashlib.sha256()
        member = self._member(digest)
        if member.size != size:
            raise StoreError(f"blob {digest} does not have {size:,} bytes", where=self.name)
        for piece in self._content(self._path(digest), size):
            hashed.update(piece)
            yield piece
        if f"sha256:{hashed.hexdigest()}" != digest:
            raise StoreError(f"blob {digest} does not match its digest", where=self.name)

    def piece(self, digest: str, offset: int, size: int) -> bytes:
        """Return a part of a blob, not verified."""
        member = self._member(digest)
        self._file.seek(member.offset + min(offset, member.size))
        return self._read(max(0, min(size, member.size - offset)))

    def _content(self, name: str, limit: int) -> Iterator[bytes]:
        member = self._members[name]
        if member.size > limit:
            raise StoreError(f"{name} is too large", where=self.name)
        at = member.offset
        while at < member.offset + member.size:
            self._file.seek(at)
            piece = self._read(min(_PIECE, member.offset + member.size - at))
            if not piece:
                raise StoreError("the bundle ends early", where=self.name)
            at += len(piece)
            yield piece

    def _read(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except OSError as error:
            raise StoreError(f"cannot read the bundle: {error}", where=self.name) from error

    def _member(self, digest: str) -> _Member:
        member = self._members.get(self._path(digest))
        if member is None:
            raise StoreError(f"blob {digest} is not in it", where=self.name)
        return member

    @staticmethod
    def _path(digest: str) -> str:
        return f"blobs/sha256/{digest.removeprefix('sha256:')}"

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        """Return the bundle."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the file."""
        self.close()
