"""Debian packages: an ar archive with two tarballs (deb(5)), read without dpkg."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, NamedTuple

from envlock.materialize.artifacts.artifact import ArtifactKind, Rooms
from envlock.materialize.artifacts.decompress import decompress
from envlock.materialize.artifacts.unpacked import UnpackedTar, unpack_tar
from envlock.model.lock import Lock
from envlock.model.record import Facts

_MAGIC = b"!<arch>\n"
_HEADER_SIZE = 60


class Deb(NamedTuple):
    """A Debian package file.  `sha256` is empty when no index stated it at capture."""

    name: str
    version: str
    arch: str
    source: str
    sha256: str = ""

    @property
    def scheme(self) -> str:
        """Return the scheme of the kind."""
        return KIND.scheme

    @property
    def filename(self) -> str:
        """Return the file name in apt's archive cache."""
        return f"{self.name}_{self.version.replace(':', '%3a')}_{self.arch}.deb"

    @property
    def proofs(self) -> tuple[str, ...]:
        """Return the digest of the file, where an index stated it at capture."""
        return (f"sha256:{self.sha256}",) if self.sha256 else ()

    @property
    def other_names(self) -> str:
        """Return nothing: apt gives a package one file name."""
        return ""

    def is_named(self, filename: str) -> bool:
        """True when `filename` is that of apt's archive cache."""
        return filename == self.filename

    def __str__(self) -> str:
        return f"deb {self.name}:{self.arch} {self.version}"


def describe(name: str, lock: Lock) -> Deb | None:
    """Return the package of a record ``deb NAME:ARCH``, or None when it states no version."""
    facts = lock.get("deb", name)
    package, _, arch = name.rpartition(":")
    if not facts.get("version"):
        return None
    source = facts.get("source", package)
    return Deb(package, facts["version"], arch, source, facts.get("sha256", ""))


def unpack(deb: Path, rooms: Rooms) -> UnpackedTar:
    """Return the members of the data.tar of `deb`.

    Raise SourceError when the file is truncated or not a Debian package.
    """
    return unpack_tar(
        deb, rooms, lambda source: decompress(*_data_part(source)), what="Debian package"
    )


def _data_part(source: IO[bytes]) -> tuple[str, IO[bytes], int]:
    """Return (suffix, stream, size) of the data.tar member; the stream is at its first byte."""
    if source.read(len(_MAGIC)) != _MAGIC:
        raise ValueError("it is no ar archive")
    while header := source.read(_HEADER_SIZE):
        if len(header) < _HEADER_SIZE or header[58:60] != b"`\n":
            raise EOFError("it ends in the middle of an ar header")
        name = header[:16].decode("ascii", "replace").strip().rstrip("/")
        size = int(header[48:58])
        if size < 0:
            raise ValueError(f"a member of {size} bytes")
        if name.startswith("data.tar"):
            return name.removeprefix("data.tar"), source, size
        source.seek(size + size % 2, os.SEEK_CUR)
    raise EOFError("it has no data.tar")


def _group(key: str, facts: Facts) -> str:
    """Return the source package: its binary packages are updated together."""
    return facts.get("source") or key.partition(":")[0]


KIND = ArtifactKind(
    scheme="deb",
    section="deb",
    describe=describe,
    open=unpack,
    group=_group,
    file_time=None,
    is_dated=True,
)
