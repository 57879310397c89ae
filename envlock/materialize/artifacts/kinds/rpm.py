"""Packages of rpm: known by the digest of their header, which states that of the payload.

The database of rpm keeps the header as it was published.  The same package may be published signed
and unsigned, or signed again, and is then another file with the same header and payload.

Sources: the RPM file format (rpm's docs/manual/format_v4.md), cpio(5): new ASCII format.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO, NamedTuple

from envlock.formats.rpm.package_file import (
    LARGEST_HEADER,
    PackageDigest,
    extent_of,
    file_name,
)
from envlock.materialize.artifacts.artifact import ArtifactKind, Rooms
from envlock.materialize.artifacts.decompress import compression_of, decompress
from envlock.materialize.artifacts.unpacked import (
    MOST_MEMBERS,
    Member,
    UnpackedTar,
    unpack_archive,
)
from envlock.model.lock import Lock
from envlock.model.record import Facts

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PIECE = 1 << 20
_ENTRY = 110
_FORMATS = (b"070701", b"070702")
_LONGEST_NAME = 65536
_END = b"TRAILER!!!"
_TYPE, _REGULAR = 0o170000, 0o100000


class Rpm(NamedTuple):
    """A package file.  `version` is ``[epoch:]version-release``, `header` a SHA-256 in hex."""

    name: str
    version: str
    arch: str
    source: str
    header: str

    @property
    def scheme(self) -> str:
        """Return the scheme of the kind."""
        return KIND.scheme

    @property
    def filename(self) -> str:
        """Return the file name in repositories and in the caches of dnf and zypper."""
        return file_name(self.name, self.version, self.arch)

    @property
    def proofs(self) -> tuple[str, ...]:
        """Return the digest of its header."""
        return (f"{PackageDigest.name}:{self.header}",)

    @property
    def other_names(self) -> str:
        """Return nothing: a package has one file name."""
        return ""

    def is_named(self, filename: str) -> bool:
        """True when `filename` is that of repositories."""
        return filename == self.filename

    def __str__(self) -> str:
        return f"rpm {self.name}.{self.arch} {self.version}"


def describe(key: str, lock: Lock) -> Rpm | None:
    """Return the package of a record ``rpm NAME.ARCH`` or ``rpm NAME-VERSION.ARCH``.

    None when its header has no SHA-256, as before rpm 4.14.
    """
    facts = lock.get("rpm", key)
    version, sha256 = facts.get("version", ""), facts.get("sha256", "")
    stem, _, arch = key.rpartition(".")
    name = stem.removesuffix(f"-{version}")
    if not (name and version and _SHA256.fullmatch(sha256)):
        return None
    return Rpm(name, version, arch, facts.get("source", name), sha256)


def stated(words: str) -> Rpm | None:
    """Return the package that a claim names: ``NAME VERSION ARCH SHA256``."""
    parts = words.split(" ")
    if len(parts) != 4 or not _SHA256.fullmatch(parts[3]):
        return None
    name, version, arch, sha256 = parts
    return Rpm(name, version, arch, name, sha256)


def unpack(path: Path, rooms: Rooms) -> UnpackedTar:
    """Return the files of the payload.

    Raise SourceError when the file is truncated or no package of rpm.
    """
    return unpack_archive(path, rooms, _payload, what="rpm package", index=index_cpio)


def _payload(source: IO[bytes]) -> Iterator[bytes]:
    """Yield the cpio archive of an open package file."""
    content = b""
    while (extent := extent_of(content)) is None:
        piece = source.read(max(_PIECE, len(content)))
        if not piece or len(content) > 3 * LARGEST_HEADER:
            raise EOFError("it ends in the middle of its header")
        content += piece
    source.seek(extent.end)
    magic = source.read(6)
    source.seek(extent.end)
    suffix = "" if magic.startswith(b"0707") else compression_of(magic)
    if suffix is None:
        raise ValueError("its payload is compressed in an unknown way")
    return decompress(suffix, source, os.fstat(source.fileno()).st_size - extent.end)


def index_cpio(data: Path, most: int = MOST_MEMBERS) -> dict[str, Member]:
    """Return the regular files of the cpio archive at `data`; raise as `read_cpio` does."""
    with data.open("rb") as archive:
        return read_cpio(archive, most)


def read_cpio(archive: BinaryIO, most: int = MOST_MEMBERS) -> dict[str, Member]:
    """Return the regular files of a cpio archive by name, of at most so many members.

    Of several names of one file only the last has the content.  Raise ValueError for more members,
    for other formats and for damage, EOFError where it ends early.
    """
    members: dict[str, Member] = {}
    linked: dict[bytes, list[str]] = defaultdict(list)
    for _ in range(most + 1):
        head = _exactly(archive, _ENTRY)
        if head[:6] not in _FORMATS:
            raise ValueError("it is no cpio archive that names its files")
        mode, links, size, name_size = (_field(head, index) for index in (1, 4, 6, 11))
        if not 0 < name_size <= _LONGEST_NAME:
            raise ValueError("a name of an impossible length")
        name = _exactly(archive, name_size).rstrip(b"\0")
        archive.seek(-(_ENTRY + name_size) % 4, os.SEEK_CUR)
        if name == _END:
            return members
        offset = archive.tell()
        if mode & _TYPE == _REGULAR:
            text = name.decode("utf-8", "surrogateescape").removeprefix("./").lstrip("/")
            member = Member(offset, size, _digest(archive, size))
            members[text] = member
            if links > 1:
                linked[_inode(head)].append(text)
                if size:
                    members.update(dict.fromkeys(linked.pop(_inode(head)), member))
        archive.seek(offset + size + -size % 4)
    raise ValueError(f"more than {most:,} members")


def _inode(head: bytes) -> bytes:
    """Return what the names of one file have in common: inode and device."""
    return head[6:14] + head[62:78]


def _field(head: bytes, index: int) -> int:
    digits = head[6 + 8 * index : 14 + 8 * index]
    if not digits.isalnum():
        raise ValueError("a number that is none")
    return int(digits, 16)


def _exactly(stream: IO[bytes], size: int) -> bytes:
    content = stream.read(size)
    if len(content) < size:
        raise EOFError("it ends in the middle of its cpio archive")
    return content


def _digest(stream: IO[bytes], size: int) -> str:
    digest = hashlib.sha256()
    while size:
        piece = _exactly(stream, min(size, _PIECE))
        digest.update(piece)
        size -= len(piece)
    return digest.hexdigest()


def _group(key: str, facts: Facts) -> str:
    """Return the source package: its binary packages are updated together."""
    return facts.get("source") or key


KIND = ArtifactKind(
    scheme="rpm",
    section="rpm",
    describe=describe,
    stated=stated,
    open=unpack,
    group=_group,
    file_time=None,
    is_dated=True,
)
