"""Open what is packed: compressed files and archives, level by level and within bounds."""

from __future__ import annotations

import bz2
import io
import lzma
import stat
import zipfile
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple, Protocol

from envlock.errors import TargetError
from envlock.model.tree import Entry, EntryType
from envlock.targets.stream.decompress import decompressed
from envlock.targets.stream.tar_reader import members

PIECE = 1 << 20
"""Bytes that are read at once."""
MOST_LEVELS = 6
"""How deep archives are opened in archives; a packed archive of `docker save` needs four."""
MOST_UNPACKED = 64 << 30
"""Most bytes of one compressed file that are searched."""
_ZIP_LIMIT = 256 << 20
"""Largest zip archive that is opened inside another archive; it is held in memory."""
_ZIP_MEMBERS = 200_000
_MEMORY = 256 << 20
_HEAD = 512

_GZIP, _ZSTD, _BZIP2, _XZ = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ\0"
_ZIP = b"PK\3\4"
_TAR = slice(257, 262)


class NotSearchedError(Exception):
    """Something was not searched, for the reason given."""


class Packed(NamedTuple):
    """A part of an archive: its name, what an archive says of it, and its content in pieces.

    `entry` is None for what a compressed file holds.
    """

    name: str
    entry: Entry | None
    chunks: Iterator[bytes]


class _Decompressor(Protocol):
    """What bz2 and lzma have in common."""

    @property
    def eof(self) -> bool:
        """True behind the end of the compressed data."""

    @property
    def needs_input(self) -> bool:
        """True when there is nothing more to return without more data."""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Return at most so many bytes."""


def peek(chunks: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Return how a content begins, and all of it."""
    stream = iter(chunks)
    held: list[bytes] = []
    while sum(map(len, held)) < _HEAD and (chunk := next(stream, None)) is not None:
        held.append(chunk)
    return b"".join(held), chain(held, stream)


def opened(name: str, head: bytes, chunks: Iterator[bytes]) -> Iterator[Packed] | None:
    """Return the parts of a compressed file or archive that begins with `head`; None: it is none.

    Iterating raises NotSearchedError where a part is damaged or exceeds the bounds.
    """
    if head.startswith((_GZIP, _ZSTD, _BZIP2, _XZ)):
        inner = name.rsplit("/", 1)[-1].removesuffix(".tgz").rpartition(".")[0] or name
        return iter([Packed(inner, None, _bounded(_unpacked(name, head, chunks)))])
    if head[_TAR] == b"ustar":
        return _tar(name, chunks)
    if head.startswith(_ZIP):
        return _zip(chunks)
    return None


def _unpacked(name: str, head: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    if head.startswith(_BZIP2):
        return _fed(bz2.BZ2Decompressor(), chunks)
    if head.startswith(_XZ):
        return _fed(lzma.LZMADecompressor(memlimit=_MEMORY), chunks)
    return decompressed(chunks, name)


def _fed(unpacker: _Decompressor, chunks: Iterator[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        given = chunk
        while not unpacker.eof:
            piece = unpacker.decompress(given, PIECE)
            given = b""
            if piece:
                yield piece
            if unpacker.needs_input:
                break


def _bounded(pieces: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    try:
        for piece in pieces:
            size += len(piece)
            if size > MOST_UNPACKED:
                raise NotSearchedError(f"more than {MOST_UNPACKED:,} bytes when unpacked")
            yield piece
    except (TargetError, OSError, EOFError, ValueError, lzma.LZMAError) as error:
        raise NotSearchedError(str(error)) from error


def _tar(name: str, chunks: Iterator[bytes]) -> Iterator[Packed]:
    try:
        for entry, content in members(chunks, name):
            yield Packed(entry.path, entry, content)
    except TargetError as error:
        raise NotSearchedError(str(error)) from error


def _zip(chunks: Iterator[bytes]) -> Iterator[Packed]:
    held = bytearray()
    for chunk in chunks:
        held += chunk
        if len(held) > _ZIP_LIMIT:
            raise NotSearchedError(f"a zip archive of more than {_ZIP_LIMIT:,} bytes")
    try:
        with zipfile.ZipFile(io.BytesIO(held)) as archive:
            infos = archive.infolist()
            if len(infos) > _ZIP_MEMBERS:
                raise NotSearchedError(f"a zip archive of more than {_ZIP_MEMBERS:,} members")
            for info in infos:
                if not info.is_dir():
                    mode = _zip_mode(info.external_attr >> 16)
                    entry = Entry(f"/{info.filename}", EntryType.FILE, mode, size=info.file_size)
                    yield Packed(entry.path, entry, _bounded(_of_zip(archive, info)))
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError) as error:
        raise NotSearchedError(f"a zip archive: {error}") from error


def _zip_mode(mode: int) -> int:
    """Return the mode of a member; one without a type of file is what a library filled in."""
    return stat.S_IMODE(mode) if stat.S_ISREG(mode) else 0o644


def _of_zip(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(info) as stream:
        while piece := stream.read(PIECE):
            yield piece
