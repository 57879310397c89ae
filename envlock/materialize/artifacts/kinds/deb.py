"""Debian packages: an ar archive with two tarballs (deb(5)), read without dpkg.

A package is decompressed once into the store's cache.  Later rebuilds read its members at their
offsets and skip the decompression, which is most of the work.
"""

from __future__ import annotations

import bz2
import hashlib
import json
import lzma
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, NamedTuple

import zstandard

from envlock.errors import SourceError
from envlock.materialize.artifacts.artifact import ArtifactKind, Reader
from envlock.model.document import parse_json
from envlock.model.lock import Lock
from envlock.model.record import Facts
from envlock.model.text import escape, unescape
from envlock.reading import HeaderReader, open_file, read_file
from envlock.writing import replacing

_MAGIC = b"!<arch>\n"
_HEADER_SIZE = 60
_CHUNK = 1024 * 1024
_ZSTD_CHUNK = 1024

MAX_SIZE = 64 << 30
"""The largest data.tar, in bytes."""
FREE = 1 << 30
"""What any data.tar may become, in bytes; a larger one at most `MAX_RATIO` times what was read."""
MAX_RATIO = 1000
MAX_WINDOW = 512 << 20
"""The most memory that decompression may need, in bytes."""
MOST_MEMBERS = 4_000_000
"""Most files of a package."""
TABLE_LIMIT = 1 << 30


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
    def other_names(self) -> str:
        """Return nothing: apt gives a package one file name."""
        return ""

    def is_named(self, filename: str) -> bool:
        """True when `filename` is that of apt's archive cache."""
        return filename == self.filename

    def __str__(self) -> str:
        return f"deb {self.name}:{self.arch} {self.version}"


class Member(NamedTuple):
    """A regular file of a package: its position in the decompressed tar, and its digest."""

    offset: int
    size: int
    sha256: str


class UnpackedDeb(NamedTuple):
    """A decompressed data.tar on disk, with a table of its regular files by path."""

    path: Path
    members: Mapping[str, Member]

    def find(self, member: str, sha256: str) -> Reader | None:
        """Return a reader of the file with this digest, at `member` if possible, or None."""
        found = self.members.get(member)
        if found is None or found.sha256 != sha256:
            found = next((m for m in self.members.values() if m.sha256 == sha256), None)
        return None if found is None else _reader(self.path, found)

    def close(self) -> None:
        """Do nothing: the file is open only while a member is read."""


def describe(name: str, lock: Lock) -> Deb | None:
    """Return the package of a record ``deb NAME:ARCH``, or None when it states no version."""
    facts = lock.get("deb", name)
    package, _, arch = name.rpartition(":")
    if not facts.get("version"):
        return None
    source = facts.get("source", package)
    return Deb(package, facts["version"], arch, source, facts.get("sha256", ""))


def unpack(deb: Path, cache: Path) -> UnpackedDeb:
    """Decompress the data.tar of `deb` into `cache`, unless it is there already.

    Raise SourceError when the file is truncated or not a Debian package.
    """
    key = f"{deb.name}-{deb.stat().st_size}"
    data, table = cache / f"{key}.tar", cache / f"{key}.json"
    try:
        return UnpackedDeb(data, _read_table(table, data))
    except (OSError, ValueError):
        pass
    cache.mkdir(parents=True, exist_ok=True)
    try:
        with deb.open("rb") as source, replacing(data, is_durable=False) as sink:
            sink.writelines(_decompress(*_data_part(source)))
            sink.flush()
            members = index_members(Path(sink.name))
    except (
        OSError,
        EOFError,
        ValueError,
        lzma.LZMAError,
        tarfile.TarError,
        zlib.error,
        zstandard.ZstdError,
        RecursionError,  # tarfile follows extended headers by calling itself
        OverflowError,
    ) as error:
        raise SourceError(
            f"not a complete Debian package: {error}", where=str(deb), hint="delete it and retry"
        ) from error
    _write_table(table, members)
    return UnpackedDeb(data, members)


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


def _decompress(suffix: str, source: IO[bytes], size: int, free: int = FREE) -> Iterator[bytes]:
    left = size
    made = 0
    decompressor = _decompressor(suffix)
    while left:
        chunk = source.read(min(left, _CHUNK))
        if not chunk:
            raise EOFError("it ends in the middle of data.tar")
        left -= len(chunk)
        for piece in decompressor(chunk):
            made += len(piece)
            if made > min(MAX_SIZE, max(free, (size - left) * MAX_RATIO)):
                raise ValueError(f"its data.tar has more than {made:,} bytes")
            yield piece


def _decompressor(suffix: str) -> Callable[[bytes], Iterator[bytes]]:
    """Return a function that yields what a chunk becomes, in pieces."""
    match suffix:
        case "":
            return lambda chunk: iter((chunk,))
        case ".xz":
            return _drained(lzma.LZMADecompressor(memlimit=MAX_WINDOW))
        case ".gz":
            return _inflated(zlib.decompressobj(wbits=31))
        case ".bz2":
            return _drained(bz2.BZ2Decompressor())
        case ".zst":
            return _unpacked(zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW))
        case _:
            raise ValueError(f"unknown compression data.tar{suffix}")


def _drained(
    decompressor: lzma.LZMADecompressor | bz2.BZ2Decompressor,
) -> Callable[[bytes], Iterator[bytes]]:
    def pieces(chunk: bytes) -> Iterator[bytes]:
        yield decompressor.decompress(chunk, _CHUNK)
        while not (decompressor.needs_input or decompressor.eof):
            yield decompressor.decompress(b"", _CHUNK)

    return pieces


def _inflated(decompressor: zlib._Decompress) -> Callable[[bytes], Iterator[bytes]]:
    def pieces(chunk: bytes) -> Iterator[bytes]:
        while chunk and not decompressor.eof:
            yield decompressor.decompress(chunk, _CHUNK)
            chunk = decompressor.unconsumed_tail

    return pieces


def _unpacked(decompressor: zstandard.ZstdDecompressor) -> Callable[[bytes], Iterator[bytes]]:
    """For zstd, which cannot stop within a chunk: small chunks become no more than some megabytes.

    A block has at most 128 KiB of content and at least four bytes (RFC 8878, 3.1.1.2).
    """
    stream = decompressor.decompressobj()

    def pieces(chunk: bytes) -> Iterator[bytes]:
        for at in range(0, len(chunk), _ZSTD_CHUNK):
            yield stream.decompress(chunk[at : at + _ZSTD_CHUNK])

    return pieces


def _reader(data: Path, member: Member) -> Reader:
    def read() -> Iterator[bytes]:
        offset, left = member.offset, member.size
        with data.open("rb", buffering=0) as stream:
            while left:
                chunk = os.pread(stream.fileno(), min(left, _CHUNK), offset)
                if not chunk:
                    raise OSError(0, f"{data} became shorter")
                offset += len(chunk)
                left -= len(chunk)
                yield chunk

    return read


def index_members(data: Path, most: int = MOST_MEMBERS) -> dict[str, Member]:
    """Return the files of a tar by name, of at most so many members.  Raise ValueError for more."""
    members: dict[str, Member] = {}
    with (
        data.open("rb") as raw,
        HeaderReader(open_file(data)) as headers,
        tarfile.open(fileobj=headers, mode="r:", errors="surrogateescape") as archive,
    ):
        for count, info in enumerate(archive, 1):
            if count > most:
                raise ValueError(f"more than {most:,} members")
            name = info.name.removeprefix("./")
            if info.isreg():
                digest = _digest(raw, info.offset_data, info.size)
                members[name] = Member(info.offset_data, info.size, digest)
            elif info.islnk() and (target := info.linkname.removeprefix("./")) in members:
                members[name] = members[target]
    return members


def _digest(raw: IO[bytes], offset: int, size: int) -> str:
    digest = hashlib.sha256()
    raw.seek(offset)
    while size:
        chunk = raw.read(min(size, _CHUNK))
        if not chunk:
            raise EOFError("it ends in the middle of a file")
        digest.update(chunk)
        size -= len(chunk)
    return digest.hexdigest()


def _read_table(table: Path, data: Path) -> dict[str, Member]:
    rows = parse_json(read_file(table, TABLE_LIMIT), max_values=TABLE_LIMIT)
    end = max((offset + size for _, offset, size, _ in rows), default=0)
    if data.stat().st_size < end:
        raise ValueError("the tar is shorter than its table says")
    return {unescape(name): Member(offset, size, sha256) for name, offset, size, sha256 in rows}


def _write_table(table: Path, members: Mapping[str, Member]) -> None:
    rows = [[escape(name), *member] for name, member in members.items()]
    with replacing(table, is_durable=False) as stream:
        stream.write(json.dumps(rows).encode())


def _group(key: str, facts: Facts) -> str:
    """Return the source package: its binary packages are updated together."""
    return facts.get("source") or key.partition(":")[0]


KIND = ArtifactKind(
    scheme="deb", section="deb", describe=describe, open=unpack, group=_group, file_time=None
)
