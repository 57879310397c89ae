"""Conda packages: archives whose digest conda-meta states, with a placeholder for the prefix.

A ``.conda`` file is a zip archive of two tars under zstd, an older package one tar under bzip2.
The files are as published but for the prefix, which installers write in by rules of their own: a
source then names the rule before the member.

Sources: conda-build documentation, "Package specification" (``.conda`` files, info/paths.json).
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, NamedTuple

from envlock.errors import SourceError
from envlock.formats.binary import zip_archive
from envlock.formats.conda import Placeholder, parse_has_prefix, parse_paths
from envlock.formats.conda_prefix import RULES
from envlock.materialize.artifacts.artifact import (
    Artifact,
    ArtifactKind,
    OpenArtifact,
    Reader,
    Rooms,
)
from envlock.materialize.artifacts.decompress import decompress
from envlock.materialize.artifacts.unpacked import (
    DAMAGE,
    MOST_MEMBERS,
    UnpackedTar,
    unpack_tar,
)
from envlock.model.lock import Lock
from envlock.model.record import Facts
from envlock.reading import HeaderReader

_ZIP = b"PK\x03\x04"
_BZIP2 = b"BZh"
_PROOF = re.compile(r"(?:sha256:[0-9a-f]{64}|md5:[0-9a-f]{32})\Z")
_HEX = re.compile(r"(?:[0-9a-f]{2})*\Z")
_ADDRESS = re.compile(r"https?://[!-?A-~]{1,500}\Z")
"""Without ``@``, so that it has no password."""
_LISTS = (("info/paths.json", parse_paths), ("info/has_prefix", parse_has_prefix))


class Limits(NamedTuple):
    """What a package may have, in bytes, decompressed.

    - `info`: the part of a ``.conda`` file with information.
    - `listed`: the list of its files.
    - `replaced`: a file in which a placeholder is replaced, before and after.
    - `total`: all such files together.
    """

    info: int = 128 << 20
    listed: int = 64 << 20
    replaced: int = 256 << 20
    total: int = 4 << 30


DEFAULT_LIMITS = Limits()


class Conda(NamedTuple):
    """An archive of a channel.

    `digest` is its proof.  `prefix` is where it was installed, and `folder` the URL of the
    directory that it came from; both are the hex of their UTF-8, and may be empty.
    """

    name: str
    version: str
    build: str
    subdir: str
    suffix: str
    digest: str
    prefix: str
    folder: str

    @property
    def scheme(self) -> str:
        """Return the scheme of the kind."""
        return KIND.scheme

    @property
    def filename(self) -> str:
        """Return the file name in channels and in caches."""
        return f"{self.name}-{self.version}-{self.build}.{self.suffix}"

    @property
    def address(self) -> str:
        """Return the URL that it came from; empty for a file, and for one with a password."""
        folder = bytes.fromhex(self.folder).decode("utf-8", "replace")
        return f"{folder}/{self.filename}" if _ADDRESS.match(folder) else ""

    @property
    def proofs(self) -> tuple[str, ...]:
        """Return the digest that conda-meta states of the archive."""
        return (self.digest,)

    @property
    def other_names(self) -> str:
        """Return nothing: channels give an archive one name."""
        return ""

    def is_named(self, filename: str) -> bool:
        """True when `filename` is that of channels."""
        return filename == self.filename

    def __str__(self) -> str:
        return f"conda {self.subdir}/{self.filename}"


class OpenConda:
    """The members of a package, as published and as they are in its prefix."""

    def __init__(
        self,
        tar: UnpackedTar,
        placeholders: Mapping[str, Placeholder],
        prefix: str = "",
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self.tar = tar
        self.placeholders = placeholders
        self.prefix = prefix
        self.limits = limits

    def find(self, member: str, sha256: str) -> Reader | None:
        """Return a reader of the file with this digest: a member, or a member after a rule."""
        rule, _, name = member.partition(" ")
        if rule in RULES and name in self.placeholders:
            try:
                content = self._replaced(rule, name)
            except OSError:
                content = None
            if content is not None and hashlib.sha256(content).hexdigest() == sha256:
                del content
                return lambda: iter((self._replaced(rule, name) or b"",))
        return self.tar.find(member, sha256)

    def contents(self) -> Mapping[str, str]:
        """Return the digests of the members, and of what rules make of those with a placeholder."""
        found = dict(self.tar.contents())
        known = set(found.values())
        left = self.limits.total
        for name in sorted(self.placeholders.keys() & self.tar.members.keys()):
            left -= self.tar.members[name].size
            if not self.prefix or left < 0:
                break
            for rule in RULES:
                content = self._replaced(rule, name)
                digest = "" if content is None else hashlib.sha256(content).hexdigest()
                if digest and digest not in known:
                    known.add(digest)
                    found[f"{rule} {name}"] = digest
        return found

    def close(self) -> None:
        """Close the archive."""
        self.tar.close()

    def _replaced(self, rule: str, name: str) -> bytes | None:
        """Return a member as a rule makes it, None where it makes nothing of it.

        Raise OSError.
        """
        member, placeholder = self.tar.members.get(name), self.placeholders[name]
        if member is None or member.size > self.limits.replaced or not self.prefix:
            return None
        read = self.tar.find(name, member.sha256)
        content = b"".join(read()) if read is not None else b""
        more = len(self.prefix.encode()) - len(placeholder.text.encode())
        if (
            len(content) + max(0, more) * content.count(placeholder.text.encode())
            > self.limits.replaced
        ):
            return None
        try:
            return RULES[rule](content, placeholder, self.prefix)
        except ValueError:
            return None


def describe(key: str, lock: Lock) -> Conda | None:
    """Return the archive of a record ``conda ENVIRONMENT/NAME``, or None when it names none."""
    facts = lock.get("conda", key)
    environment, _, name = key.rpartition("/")
    version, build = facts.get("version", ""), facts.get("build", "")
    suffix = facts.get("artifact", "").removeprefix(f"{name}-{version}-{build}.")
    digest = f"sha256:{facts['sha256']}" if facts.get("sha256") else f"md5:{facts.get('md5', '')}"
    prefix = lock.get("conda", environment).get("path", "")
    words = (name, version, build, facts.get("subdir", ""), suffix, digest)
    return _archive(*words, prefix=_hex(prefix), folder=_hex(facts.get("url", "")))


def stated(words: str) -> Conda | None:
    """Return the archive that a claim names.

    ``NAME VERSION BUILD SUBDIR SUFFIX PROOF PREFIX FOLDER``, the last two in hex.
    """
    parts = words.split(" ")
    if len(parts) != 8 or not all(_HEX.match(part) for part in parts[6:]):
        return None
    return _archive(*parts[:6], prefix=parts[6], folder=parts[7])


def _archive(*words: str, prefix: str, folder: str) -> Conda | None:
    suffix, proof = words[4:]
    if not all(words) or suffix not in ("conda", "tar.bz2") or not _PROOF.match(proof):
        return None
    name, version, build, subdir, *_ = words
    return Conda(name, version, build, subdir, suffix, proof, prefix, folder)


def _hex(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").hex()


def unpack(path: Path, rooms: Rooms, limits: Limits = DEFAULT_LIMITS) -> OpenConda:
    """Return the members of an archive, without a prefix.  Raise SourceError when it is damaged."""
    tar = unpack_tar(path, rooms, _content, what="conda package")
    try:
        return OpenConda(tar, _placeholders(path, tar, limits), limits=limits)
    except (*DAMAGE, *zip_archive.DAMAGE, OSError) as error:
        raise SourceError(
            f"not a complete conda package: {error}", where=str(path), hint="delete it and retry"
        ) from error


def placed(opened: OpenArtifact, artifact: Artifact) -> OpenArtifact:
    """Return the members as they are in the prefix of `artifact`."""
    if not (isinstance(opened, OpenConda) and isinstance(artifact, Conda)):
        return opened
    try:
        prefix = bytes.fromhex(artifact.prefix).decode()
    except UnicodeDecodeError:
        return opened
    return OpenConda(opened.tar, opened.placeholders, prefix, opened.limits)


def _content(source: IO[bytes]) -> Iterator[bytes]:
    """Yield the tar with the files of an open archive."""
    magic = source.read(4)
    source.seek(0)
    if magic.startswith(_BZIP2):
        return decompress(".bz2", source, os.fstat(source.fileno()).st_size)
    return _part(source, "pkg-")


def _part(source: IO[bytes], begin: str) -> Iterator[bytes]:
    """Yield the tar in a part of a ``.conda`` file, whose name begins with `begin`."""
    try:
        with zip_archive.open_archive(source) as archive:  # type: ignore[arg-type]
            for info in archive.infolist():
                if info.filename.startswith(begin) and info.filename.endswith(".tar.zst"):
                    pieces = zip_archive.member_pieces(archive, info)
                    yield from decompress(".zst", _Pieces(pieces), info.file_size)
                    return
    except zip_archive.DAMAGE as error:
        raise ValueError(str(error)) from error
    raise EOFError(f"it has no {begin}*.tar.zst")


class _Pieces:
    """Pieces of a file as a stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, none at the end."""
        piece = self._rest or next(self._pieces, b"")
        self._rest = piece[size:]
        return piece[:size]


def _placeholders(path: Path, tar: UnpackedTar, limits: Limits) -> Mapping[str, Placeholder]:
    """Return member -> placeholder, as the package itself lists them."""
    for name, parse in _LISTS:
        content = _listed(tar, name, limits.listed)
        if content is not None:
            return parse(content.decode("utf-8", "surrogateescape"))
    with path.open("rb") as source:
        if source.read(4) != _ZIP:
            return {}
        source.seek(0)
        files = _files_of(source, limits)
    for name, parse in _LISTS:
        if name in files:
            return parse(files[name].decode("utf-8", "surrogateescape"))
    return {}


def _listed(tar: UnpackedTar, name: str, limit: int) -> bytes | None:
    member = tar.members.get(name)
    if member is None:
        return None
    if member.size > limit:
        raise ValueError(f"{name} has more than {limit:,} bytes")
    read = tar.find(name, member.sha256)
    return None if read is None else b"".join(read())


def _files_of(source: IO[bytes], limits: Limits) -> Mapping[str, bytes]:
    """Return the lists in the information of a ``.conda`` file; raise for damage and too much."""
    content = bytearray()
    for piece in _part(source, "info-"):
        content += piece
        if len(content) > limits.info:
            raise ValueError(f"its information has more than {limits.info:,} bytes")
    found = {}
    wanted = {name for name, _ in _LISTS}
    with (
        HeaderReader(io.BytesIO(content)) as headers,
        tarfile.open(fileobj=headers, mode="r:", errors="surrogateescape") as archive,
    ):
        for count, info in enumerate(archive, 1):
            if count > MOST_MEMBERS:
                raise ValueError(f"more than {MOST_MEMBERS:,} members")
            name = info.name.removeprefix("./")
            if name in wanted and info.isreg():
                if info.size > limits.listed:
                    raise ValueError(f"{name} has more than {limits.listed:,} bytes")
                found[name] = bytes(content[info.offset_data : info.offset_data + info.size])
    return found


def _group(key: str, facts: Facts) -> str:  # noqa: ARG001
    """Return the package itself: each has releases of its own."""
    return key


KIND = ArtifactKind(
    scheme="conda",
    section="conda",
    describe=describe,
    stated=stated,
    open=unpack,
    placed=placed,
    group=_group,
    file_time=None,  # that of files with the prefix is of their installation
)
