"""Packages of Alpine: known by the digest of their control, which states that of the files.

The database of apk keeps the SHA-1 of the control, and nothing of the file.  SHA-1 alone decides
nothing: each file that is taken has the SHA-256 of the lock.  Packages of version 3 of the format
are other files, and never have this digest.

Sources: apk-package(5), apk-tools' src/extract_v2.c.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from envlock.materialize.artifacts.artifact import ArtifactKind, Rooms
from envlock.materialize.artifacts.decompress import decompress
from envlock.materialize.artifacts.package_digest import APK
from envlock.materialize.artifacts.unpacked import UnpackedTar, unpack_tar
from envlock.model.lock import Lock
from envlock.model.record import Facts

_SHA1 = re.compile(r"[0-9a-f]{40}")


class ApkPackage(NamedTuple):
    """A package file; `control` is a SHA-1 in hex."""

    name: str
    version: str
    arch: str
    source: str
    control: str

    @property
    def scheme(self) -> str:
        """Return the scheme of the kind."""
        return KIND.scheme

    @property
    def filename(self) -> str:
        """Return the file name in repositories."""
        return f"{self.name}-{self.version}.apk"

    @property
    def proofs(self) -> tuple[str, ...]:
        """Return the digest of its control."""
        return (f"{APK}:{self.control}",)

    @property
    def other_names(self) -> str:
        """Return the name in the cache of apk, which has the beginning of the digest."""
        return f"{self.name}-{self.version}.{self.control[:8]}.apk"

    def is_named(self, filename: str) -> bool:
        """True when `filename` is that of repositories or of the cache of apk."""
        return filename in (self.filename, self.other_names)

    def __str__(self) -> str:
        return f"apk {self.name} {self.version}"


def describe(key: str, lock: Lock) -> ApkPackage | None:
    """Return the package of a record ``apk NAME``, or None without the digest of a control."""
    facts = lock.get("apk", key)
    source = facts.get("source", key)
    return _package(
        key, facts.get("version", ""), facts.get("arch", ""), source, facts.get("sha1", "")
    )


def stated(words: str) -> ApkPackage | None:
    """Return the package that a claim names: ``NAME VERSION ARCH SHA1``."""
    parts = words.split(" ")
    if len(parts) != 4:
        return None
    name, version, arch, control = parts
    return _package(name, version, arch, name, control)


def _package(name: str, version: str, arch: str, source: str, control: str) -> ApkPackage | None:
    if not (name and version and arch and _SHA1.fullmatch(control)):
        return None
    return ApkPackage(name, version, arch, source, control)


def unpack(path: Path, rooms: Rooms) -> UnpackedTar:
    """Return the members of a package.  Raise SourceError when it is damaged."""
    return unpack_tar(path, rooms, _tar, what="package of apk")


def _tar(source: IO[bytes]) -> Iterator[bytes]:
    return decompress(".gz+", source, os.fstat(source.fileno()).st_size)


def _group(key: str, facts: Facts) -> str:
    """Return what the package was built from: what is built together is updated together."""
    return facts.get("source") or key


KIND = ArtifactKind(
    scheme="apk",
    section="apk",
    describe=describe,
    stated=stated,
    open=unpack,
    group=_group,
    file_time=None,
    is_dated=True,
)
