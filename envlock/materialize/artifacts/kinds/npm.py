"""npm packages: gzipped tars whose digest every lockfile of npm states (``integrity``).

What npm writes of a tarball (pacote, its extraction): the first component of each name is left out,
whatever it is, and no content is changed.

Sources: npm docs "package-lock.json" and "pack", W3C Subresource Integrity.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from envlock.formats.node import package_name, parse_integrity
from envlock.materialize.artifacts.artifact import ArtifactKind, Rooms
from envlock.materialize.artifacts.decompress import decompress
from envlock.materialize.artifacts.unpacked import UnpackedTar, unpack_tar
from envlock.model.lock import Lock
from envlock.model.record import Facts

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*")
_VERSION = re.compile(r"\d+\.\d+\.\d+[A-Za-z0-9.+-]*")
"""Nothing else: npm takes other words for addresses, files and repositories."""


class NpmPackage(NamedTuple):
    """A tarball of a registry: `scope` is without ``@``, and `integrity` is ``ALGORITHM:HEX``."""

    scope: str
    name: str
    version: str
    integrity: str

    @property
    def scheme(self) -> str:
        """Return the scheme of the kind."""
        return KIND.scheme

    @property
    def full_name(self) -> str:
        """Return the name as package.json has it, with the scope."""
        return f"@{self.scope}/{self.name}" if self.scope else self.name

    @property
    def filename(self) -> str:
        """Return the name that `npm pack` gives it."""
        scope = f"{self.scope}-" if self.scope else ""
        return f"{scope}{self.name}-{self.version}.tgz"

    @property
    def proofs(self) -> tuple[str, ...]:
        """Return what the lockfile of npm states of the file."""
        return (self.integrity,)

    @property
    def other_names(self) -> str:
        """Return nothing: its digest shows under which name it is kept."""
        return ""

    def is_named(self, filename: str) -> bool:
        """True when `filename` is that of `npm pack`."""
        return filename == self.filename

    def __str__(self) -> str:
        return f"npm {self.full_name}@{self.version}"


def package(full_name: str, version: str, integrity: str) -> NpmPackage | None:
    """Return the tarball of a package, or None when what is known of it does not suffice.

    `integrity` is as in a lockfile: digests in base64, of which the strongest counts.
    """
    scope, slash, name = full_name.rpartition("/")
    digest = parse_integrity(integrity)
    is_scoped = bool(slash)
    if not digest or not _VERSION.fullmatch(version) or not _NAME.fullmatch(name):
        return None
    if is_scoped and not (scope[:1] == "@" and _NAME.fullmatch(scope[1:])):
        return None
    return NpmPackage(scope[1:], name, version, digest)


def describe(key: str, lock: Lock) -> NpmPackage | None:
    """Return the tarball of a record ``npm TREE/LOCATION``.

    None for what came from elsewhere than a registry, since only that keeps a file for ever.
    """
    facts = lock.get("npm", key)
    if facts.get("origin") or facts.get("editable"):
        return None
    name = facts.get("name") or package_name(key.partition("/")[2])
    return package(name, facts.get("version", ""), facts.get("integrity", ""))


def stated(words: str) -> NpmPackage | None:
    """Return the tarball that a claim names: ``NAME VERSION INTEGRITY``."""
    name, _, rest = words.partition(" ")
    version, _, integrity = rest.partition(" ")
    return package(name, version, integrity)


def unpack(path: Path, rooms: Rooms) -> UnpackedTar:
    """Return the members of a tarball.  Raise SourceError when it is damaged."""
    return unpack_tar(path, rooms, _inflated, what="npm package", rename=_below_first)


def _inflated(source: IO[bytes]) -> Iterator[bytes]:
    return decompress(".gz", source, os.fstat(source.fileno()).st_size)


def _below_first(name: str) -> str:
    return name.partition("/")[2]


def _group(key: str, facts: Facts) -> str:  # noqa: ARG001
    """Return the package itself: each has releases of its own."""
    return key


KIND = ArtifactKind(
    scheme="npm",
    section="npm",
    describe=describe,
    stated=stated,
    open=unpack,
    group=_group,
    file_time=None,  # npm records none: files keep the captured time, as by value
)
