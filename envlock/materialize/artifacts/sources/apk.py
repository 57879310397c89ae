"""Packages of Alpine: in the cache of this machine, and in the repositories of the captured one.

The index of a repository lists the packages that it has, with the digest of the control of each.
Signatures are not checked, because nothing that an index says is relied on: each package is
verified against the lock.

Sources: apk-repositories(5), apk-cache(5), the format of APKINDEX.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

from envlock.errors import SourceError
from envlock.formats.apk import parse_checksum
from envlock.materialize.artifacts.artifact import Artifact
from envlock.materialize.artifacts.decompress import decompress_pieces
from envlock.materialize.artifacts.kinds.apk import ApkPackage
from envlock.materialize.artifacts.package_digest import DAMAGE
from envlock.materialize.artifacts.sources.base import ArtifactSource, SourceRequest, Tell
from envlock.materialize.artifacts.sources.directory import DirectorySource
from envlock.materialize.artifacts.sources.download import Downloads, host_of
from envlock.materialize.artifacts.sources.mirrors import Place, from_mirrors
from envlock.targets.stream.tar_reader import members

LARGEST_INDEX = 256 << 20
"""The largest APKINDEX, in bytes."""

_CACHES = (Path("/var/cache/apk"), Path("/etc/apk/cache"))
_PIECE = 1 << 20


def sources(request: SourceRequest) -> Sequence[ArtifactSource]:  # noqa: ARG001
    """Return the caches of apk on this machine, if there are any."""
    return caches(_CACHES)


def caches(folders: Iterable[Path]) -> list[ArtifactSource]:
    """Return folders of packages as sources, without those that are not there."""
    there = [folder for folder in folders if folder.is_dir()]
    return [DirectorySource(name=str(path), path=path, by_content=False) for path in there]


def repositories(request: SourceRequest, downloads: Downloads) -> Iterator[ArtifactSource]:
    """Yield the repositories of the lock that have an address of the web."""
    arches = sorted({each.arch for each in request.wanted if isinstance(each, ApkPackage)})
    arch = next((arch for arch in arches if arch != "noarch"), "x86_64")
    for key, facts in request.lock.sections.get("repository", {}).items():
        url = facts.get("url", "").rstrip("/")
        if key.startswith("apk ") and url.startswith(("http://", "https://")):
            name = f"repository {url}"
            yield ApkRepository(name=name, address=f"{url}/{arch}", downloads=downloads)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApkRepository:
    """One repository for one architecture."""

    name: str
    address: str
    downloads: Downloads
    is_local: bool = False

    def fetch(self, wanted: Sequence[Artifact], into: Path, tell: Tell) -> Mapping[Artifact, Path]:
        """Download the packages that its index lists into `into`.

        Raise as `from_mirrors` does.
        """
        packages = [each for each in wanted if isinstance(each, ApkPackage)]
        find = partial(self._found, into=into)
        return from_mirrors(packages, [self.address], find, Place(self.downloads, into, tell), [])

    def _found(
        self, base: str, wanted: Sequence[ApkPackage], into: Path
    ) -> Iterator[tuple[ApkPackage, str]]:
        """Yield the packages that the index lists, with their addresses.

        Raise SourceError when it cannot be had or read.
        """
        path = Path(tempfile.mkdtemp(dir=into)) / "index"
        if not self.downloads.file(f"{base}/APKINDEX.tar.gz", path):
            raise SourceError(f"{host_of(base)} has no repository of apk there")
        try:
            with path.open("rb") as stream:
                listed = controls_in(iter(lambda: stream.read(_PIECE), b""))
        except (*DAMAGE, OSError) as error:
            raise SourceError(f"the index of {host_of(base)} cannot be read: {error}") from error
        for artifact in wanted:
            if artifact.control in listed:
                yield artifact, f"{base}/{quote(artifact.filename, safe='')}"


def controls_in(pieces: Iterable[bytes]) -> frozenset[str]:
    """Return the SHA-1 in hex of the control of each package in an index.

    Raise ValueError and others of `DAMAGE` when it is damaged or has none.
    """
    for entry, chunks in members(decompress_pieces(".gz+", pieces)):
        if entry.path == "/APKINDEX":
            if entry.size > LARGEST_INDEX:
                raise ValueError("it is too large")
            lines = b"".join(chunks).split(b"\n")
            words = (line[2:].decode("utf-8", "replace") for line in lines if line[:2] == b"C:")
            found = (parse_checksum(word).partition(":") for word in words)
            return frozenset(hexes for name, _, hexes in found if name == "sha1")
    raise ValueError("it has no list of packages")
