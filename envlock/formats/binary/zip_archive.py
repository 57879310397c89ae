"""Zip archives of any origin, read within limits.

Sources: PKWARE APPNOTE.TXT 4.3 (the end of central directory states how large the directory is, and
each entry how large a member); Python's zipfile, which reads the whole directory at once and limits
what a piece becomes for deflate alone.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, cast

FREE = 1 << 20
"""What any member may become, in bytes; a larger one at most `MAX_RATIO` times as packed."""
MAX_RATIO = 1100
"""More than deflate can do, so a larger ratio is a lie."""


class ZipLimits(NamedTuple):
    """What an archive may have: bytes of its central directory, and members."""

    directory: int = 64 << 20
    members: int = 500_000


DEFAULT_LIMITS = ZipLimits()

DAMAGE = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
)
"""What reading raises for a damaged, encrypted or hostile archive, in addition to OSError."""

_PIECE = 1 << 20
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def open_archive(stream: BinaryIO, limits: ZipLimits = DEFAULT_LIMITS) -> zipfile.ZipFile:
    """Open the archive in a stream that can seek.  Raise an error of `DAMAGE` or OSError."""
    archive = zipfile.ZipFile(cast("BinaryIO", _Bounded(stream, limits.directory)))
    if len(archive.infolist()) > limits.members:
        raise ValueError(f"more than {limits.members:,} members")
    return archive


def read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int) -> bytes:
    """Return the content of a member.  Raise ValueError when it is larger than `limit` bytes."""
    if member.file_size > limit:
        raise ValueError(f"{member.filename} has more than {limit:,} bytes")
    return b"".join(member_pieces(archive, member))


def read_beginning(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int) -> bytes:
    """Return the first `limit` bytes of a member."""
    _check(member)
    with archive.open(member) as stream:
        return stream.read(limit)


def member_pieces(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield the content of a member in pieces.  Raise an error of `DAMAGE` or OSError."""
    _check(member)
    with archive.open(member) as stream:
        while piece := stream.read(_PIECE):
            yield piece


def _check(member: zipfile.ZipInfo) -> None:
    """Raise ValueError for a member that would become more than its pieces can show."""
    if member.compress_type not in _COMPRESSIONS:
        raise ValueError(f"unsupported compression {member.compress_type}")
    if member.file_size > max(FREE, member.compress_size * MAX_RATIO):
        raise ValueError(f"{member.filename} claims to be {member.file_size:,} bytes")


class _Bounded:
    """A stream of which nothing larger than a directory is read at once."""

    def __init__(self, stream: BinaryIO, most: int) -> None:
        self._stream = stream
        self._most = most
        self.seek = stream.seek
        self.tell = stream.tell
        self.close = stream.close

    def seekable(self) -> bool:
        """Return True, which the library asks."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes, or all that follow.  Raise ValueError for too many."""
        if size > self._most:
            raise ValueError(f"a part of {size:,} bytes")
        found = self._stream.read(size if size >= 0 else self._most + 1)
        if len(found) > self._most:
            raise ValueError("a part that is too large")
        return found
