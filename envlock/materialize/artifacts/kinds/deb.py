"""Read the members of a Debian package without dpkg (deb(5): an ar archive of two tarballs).

A package is decompressed once into the store's cache; later rebuilds read members at their offsets
and skip the decompression, which is most of the work.
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
from envlock.model.text import escape, unescape

_MAGIC = b"!<arch>\n"
_HEADER_SIZE = 60
_CHUNK = 1024 * 1024


class Member(NamedTuple):
    """A regular file of the package: where its bytes are in the unpacked tar, and their digest."""

    offset: int
    size: int
    sha256: str


class UnpackedDeb(NamedTuple):
    """A decompressed data.tar on disk with the table of its regular files by path."""

    path: Path
    members: Mapping[str, Member]

    def find(self, member: str, sha256: str) -> Member | None:
        """Return the member with this digest: the one at `member` if it is, else any."""
        named = self.members.get(member)
        if named is not None and named.sha256 == sha256:
            return named
        return next((m for m in self.members.values() if m.sha256 == sha256), None)


def unpack(deb: Path, cache: Path) -> UnpackedDeb:
    """Decompress the data part of `deb` into `cache`, or find it there.

    Raise SourceError when the file is truncated or no Debian package.
    """
    key = f"{deb.name}-{deb.stat().st_size}"
    data, table = cache / f"{key}.tar", cache / f"{key}.json"
    try:
        return UnpackedDeb(data, _read_table(table, data))
    except (OSError, ValueError):
        pass
    cache.mkdir(parents=True, exist_ok=True)
    partial = cache / f"{key}.{os.getpid()}.part"
    try:
        with deb.open("rb") as source, partial.open("wb") as sink:
            for chunk in _decompress(*_data_part(source)):
                sink.write(chunk)
        members = _index(partial)
        partial.replace(data)
    except (
        OSError,
        EOFError,
        ValueError,
        lzma.LZMAError,
        tarfile.TarError,
        zlib.error,
        zstandard.ZstdError,
    ) as error:
        raise SourceError(
            f"not a complete Debian package: {error}", where=str(deb), hint="delete it and retry"
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    _write_table(table, members)
    return UnpackedDeb(data, members)


def _data_part(source: IO[bytes]) -> tuple[str, IO[bytes], int]:
    """Return the suffix, the stream and the size of the data.tar member, ready to be read."""
    if source.read(len(_MAGIC)) != _MAGIC:
        raise ValueError("no ar magic")
    while header := source.read(_HEADER_SIZE):
        if len(header) < _HEADER_SIZE or header[58:60] != b"`\n":
            raise EOFError("it ends in the middle of an ar header")
        name = header[:16].decode("ascii", "replace").strip().rstrip("/")
        size = int(header[48:58])
        if name.startswith("data.tar"):
            return name.removeprefix("data.tar"), source, size
        source.seek(size + size % 2, os.SEEK_CUR)
    raise EOFError("it has no data.tar")


def _decompress(suffix: str, source: IO[bytes], size: int) -> Iterator[bytes]:
    left = size
    decompressor = _decompressor(suffix)
    while left:
        chunk = source.read(min(left, _CHUNK))
        if not chunk:
            raise EOFError("it ends in the middle of data.tar")
        left -= len(chunk)
        yield decompressor(chunk)


def _decompressor(suffix: str) -> Callable[[bytes], bytes]:
    match suffix:
        case "":
            return lambda chunk: chunk
        case ".xz":
            return lzma.LZMADecompressor().decompress
        case ".gz":
            return zlib.decompressobj(wbits=31).decompress
        case ".bz2":
            return bz2.BZ2Decompressor().decompress
        case ".zst":
            return zstandard.ZstdDecompressor().decompressobj().decompress
        case _:
            raise ValueError(f"unknown compression data.tar{suffix}")


def _index(data: Path) -> dict[str, Member]:
    members: dict[str, Member] = {}
    with tarfile.open(data, "r:", errors="surrogateescape") as archive, data.open("rb") as raw:
        for info in archive:
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
    rows = json.loads(table.read_bytes())
    end = max((offset + size for _, offset, size, _ in rows), default=0)
    if data.stat().st_size < end:
        raise ValueError("the unpacked tar is shorter than its table says")
    return {unescape(name): Member(offset, size, sha256) for name, offset, size, sha256 in rows}


def _write_table(table: Path, members: Mapping[str, Member]) -> None:
    partial = table.with_name(f"{table.name}.{os.getpid()}.part")
    partial.write_text(json.dumps([[escape(name), *member] for name, member in members.items()]))
    partial.replace(table)
