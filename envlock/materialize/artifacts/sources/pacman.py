"""Packages of Arch: in the cache of this machine, and in the repositories of the captured one.

A repository is asked as pacman asks it: its database lists what it has.  Signatures are not
checked, because nothing that a database says is relied on: each package is verified against the
lock.

Sources: pacman.conf(5), repo-add(8), libalpm's be_sync.c.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

from envlock.errors import SourceError
from envlock.formats.pacman import parse_fields
from envlock.materialize.artifacts.artifact import Artifact
from envlock.materialize.artifacts.decompress import decompress_any
from envlock.materialize.artifacts.kinds.pacman import PacmanPackage
from envlock.materialize.artifacts.package_digest import DAMAGE
from envlock.materialize.artifacts.sources.base import ArtifactSource, SourceRequest, Tell
from envlock.materialize.artifacts.sources.directory import DirectorySource
from envlock.materialize.artifacts.sources.download import Downloads, host_of
from envlock.materialize.artifacts.sources.mirrors import MOST_MIRRORS, Place, from_mirrors
from envlock.targets.stream.tar_reader import members

LARGEST_DESCRIPTION = 1 << 20
"""The largest description of a package in the database of a repository, in bytes."""

_CACHE = Path("/var/cache/pacman/pkg")
_PIECE = 1 << 20
_Key = tuple[str, str, str]


def sources(request: SourceRequest) -> Sequence[ArtifactSource]:  # noqa: ARG001
    """Return the cache of pacman on this machine, if there is one."""
    return caches(_CACHE)


def caches(folder: Path) -> list[ArtifactSource]:
    """Return a folder of packages as a source, nothing where there is none."""
    if not folder.is_dir():
        return []
    return [DirectorySource(name=str(folder), path=folder, by_content=False)]


def repositories(request: SourceRequest, downloads: Downloads) -> Iterator[ArtifactSource]:
    """Yield the repositories of the lock, each with its mirrors, and those of the settings.

    A mirror in the settings is one of pacman if it has the variable ``$repo``.
    """
    arches = sorted({each.arch for each in request.wanted if isinstance(each, PacmanPackage)})
    arch = next((arch for arch in arches if arch != "any"), "x86_64")
    others = [mirror for mirror in request.mirrors if "$repo" in mirror]
    for key, facts in request.lock.sections.get("repository", {}).items():
        if key.startswith("pacman "):
            name = key.removeprefix("pacman ")
            servers = f"{facts.get('url', '')} {facts.get('mirrors', '')}".split()
            addresses = [_filled(each, name, arch) for each in (*servers, *others)]
            yield PacmanRepository(
                name=f"repository {name}",
                database=name,
                addresses=tuple(dict.fromkeys(addresses)),
                downloads=downloads,
            )


def _filled(server: str, repository: str, arch: str) -> str:
    """Return an address without the variables of pacman.

    >>> _filled("https://example.org/$repo/os/$arch", "core", "x86_64")
    'https://example.org/core/os/x86_64'
    """
    return server.replace("$repo", repository).replace("$arch", arch).rstrip("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class PacmanRepository:
    """One repository by the addresses of its mirrors; `database` is its name for pacman."""

    name: str
    database: str
    addresses: tuple[str, ...]
    downloads: Downloads
    is_local: bool = False

    def fetch(self, wanted: Sequence[Artifact], into: Path, tell: Tell) -> Mapping[Artifact, Path]:
        """Download the packages that its database lists into `into`.

        Raise as `from_mirrors` does.
        """
        if not self.addresses:
            raise SourceError("no mirror of it was in pacman.conf or a list of mirrors")
        packages = [each for each in wanted if isinstance(each, PacmanPackage)]
        find = partial(self._found, into=into)
        place = Place(self.downloads, into, tell)
        return from_mirrors(packages, self.addresses[:MOST_MIRRORS], find, place, [])

    def _found(
        self, base: str, wanted: Sequence[PacmanPackage], into: Path
    ) -> Iterator[tuple[PacmanPackage, str]]:
        """Yield the packages that a mirror lists, with their addresses.

        Raise SourceError when its database cannot be had or read.
        """
        path = Path(tempfile.mkdtemp(dir=into)) / "database"
        if not self.downloads.file(f"{base}/{quote(self.database)}.db", path):
            raise SourceError(f"{host_of(base)} has no repository of pacman there")
        by_key = {(each.name, each.version, each.arch): each for each in wanted}
        try:
            with path.open("rb") as stream:
                pieces = iter(lambda: stream.read(_PIECE), b"")
                listed = dict(listed_files(pieces, by_key))
        except (*DAMAGE, OSError) as error:
            raise SourceError(f"the index of {host_of(base)} cannot be read: {error}") from error
        for key, filename in listed.items():
            yield by_key[key], f"{base}/{quote(filename, safe='')}"


def listed_files(
    pieces: Iterable[bytes], wanted: Iterable[tuple[str, str, str]]
) -> Iterator[tuple[_Key, str]]:
    """Yield (name, version, architecture) and file name of the packages of a database, if wanted.

    The database is a compressed tar with a description of each package.  Raise ValueError and
    others of `DAMAGE` when it is damaged.
    """
    wanted = frozenset(wanted)
    folders = {f"/{name}-{version}/desc" for name, version, _ in wanted}
    for entry, chunks in members(decompress_any(pieces)):
        if entry.path not in folders or entry.size > LARGEST_DESCRIPTION:
            continue
        fields = parse_fields(b"".join(chunks).decode("utf-8", "replace"))
        name, version, arch, filename = (
            next(iter(fields.get(field, ())), "")
            for field in ("NAME", "VERSION", "ARCH", "FILENAME")
        )
        if (name, version, arch) in wanted and filename:
            yield (name, version, arch), filename
