"""Packages of Arch: compressed tars, known by their list of files, which pacman keeps.

The member ``.MTREE`` has the SHA-256 of each other member.  pacman puts it as it is beside the
description of the package, and keeps no digest of the file that it installed.

Sources: makepkg(8), PKGBUILD(5), libalpm's be_local.c.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from envlock.materialize.artifacts.artifact import ArtifactKind, Rooms
from envlock.materialize.artifacts.decompress import decompress_any
from envlock.materialize.artifacts.package_digest import PACMAN
from envlock.materialize.artifacts.unpacked import UnpackedTar, unpack_tar
from envlock.model.lock import Lock
from envlock.model.record import Facts

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PIECE = 1 << 20
_COMPRESSED = frozenset({"", ".gz", ".bz2", ".xz", ".zst"})


class PacmanPackage(NamedTuple):
    """A package file.  `version` is ``[epoch:]version-release``, `mtree` a SHA-256 in hex."""

    name: str
    version: str
    arch: str
    source: str
    mtree: str

    @property
    def scheme(self) -> str:
        """Return the scheme of the kind."""
        return KIND.scheme

    @property
    def filename(self) -> str:
        """Return the file name in repositories, and in the cache of pacman, since 2020."""
        return f"{self._stem}.zst"

    @property
    def _stem(self) -> str:
        return f"{self.name}-{self.version}-{self.arch}.pkg.tar"

    @property
    def proofs(self) -> tuple[str, ...]:
        """Return the digest of its list of files."""
        return (f"{PACMAN}:{self.mtree}",)

    @property
    def other_names(self) -> str:
        """Return a glob for other compressions."""
        return f"{self._stem}*"

    def is_named(self, filename: str) -> bool:
        """True when `filename` is that of repositories, in any compression."""
        name = filename.replace("%3A", ":").replace("%3a", ":")
        return name.startswith(self._stem) and name.removeprefix(self._stem) in _COMPRESSED

    def __str__(self) -> str:
        return f"pacman {self.name} {self.version}"


def describe(key: str, lock: Lock) -> PacmanPackage | None:
    """Return the package of a record ``pacman NAME``, or None where pacman kept no list."""
    facts = lock.get("pacman", key)
    source = facts.get("source", key)
    return _package(
        key, facts.get("version", ""), facts.get("arch", ""), source, facts.get("mtree", "")
    )


def stated(words: str) -> PacmanPackage | None:
    """Return the package that a claim names: ``NAME VERSION ARCH MTREE``."""
    parts = words.split(" ")
    if len(parts) != 4:
        return None
    name, version, arch, mtree = parts
    return _package(name, version, arch, name, mtree)


def _package(name: str, version: str, arch: str, source: str, mtree: str) -> PacmanPackage | None:
    if not (name and version and arch and _SHA256.fullmatch(mtree)):
        return None
    return PacmanPackage(name, version, arch, source, mtree)


def unpack(path: Path, rooms: Rooms) -> UnpackedTar:
    """Return the members of a package.  Raise SourceError when it is damaged."""
    return unpack_tar(path, rooms, _tar, what="package of pacman")


def _tar(source: IO[bytes]) -> Iterator[bytes]:
    return decompress_any(iter(lambda: source.read(_PIECE), b""))


def _group(key: str, facts: Facts) -> str:
    """Return what the package was built from: what is built together is updated together."""
    return facts.get("source") or key


KIND = ArtifactKind(
    scheme="pacman",
    section="pacman",
    describe=describe,
    stated=stated,
    open=unpack,
    group=_group,
    file_time=None,
    is_dated=True,
)
