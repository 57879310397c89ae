"""Decompress the layers of an image piece by piece, within bounds.

Sources: RFC 1952 (gzip; a file may have several members), RFC 8878 (zstd; several frames).
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterable, Iterator
from typing import IO, NamedTuple, cast

import zstandard

from envlock.errors import TargetError

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_SKIPPABLE = b"*M\x18"
"""The last three bytes of the magic number of a skippable zstd frame."""


class Bounds(NamedTuple):
    """What a layer may become.  Sizes in bytes.

    `piece` is the most that is held at once.  `total` is the largest decompressed layer.  From
    `free` decompressed bytes on, no more than `ratio` for each compressed byte are allowed.
    `window` is the largest memory that a zstd frame may ask for.
    """

    piece: int = 1 << 20
    total: int = 256 << 30
    free: int = 256 << 20
    ratio: int = 5000
    window: int = 128 << 20


DEFAULT_BOUNDS = Bounds()


def decompressed(
    chunks: Iterable[bytes], where: str, bounds: Bounds = DEFAULT_BOUNDS
) -> Iterator[bytes]:
    """Yield the tar of a layer that is compressed with gzip or zstd, or not at all.

    Raise TargetError when it is damaged, or larger than the bounds allow.
    """
    source = _Counted(chunks)
    start = source.peek(4)
    if start.startswith(_GZIP):
        pieces = _gunzip(source, bounds)
    elif start == _ZSTD or start[1:] == _SKIPPABLE:
        pieces = _unzstd(source, bounds)
    else:
        pieces, bounds = iter(source), bounds._replace(free=bounds.total)
    size = 0
    try:
        for piece in pieces:
            size += len(piece)
            if size > bounds.total or size > max(bounds.free, source.taken * bounds.ratio):
                raise TargetError(
                    f"a layer of more than {size:,} bytes, in a file of {source.taken:,}",
                    where=where,
                    hint="such a layer is taken for an attack and not read",
                )
            yield piece
    except (zlib.error, zstandard.ZstdError, EOFError) as error:
        raise TargetError("a layer is damaged", where=where) from error


class _Counted(io.RawIOBase):
    """The compressed chunks as a stream that counts what was taken from it."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        super().__init__()
        self._chunks = iter(chunks)
        self._rest = b""
        self.taken = 0

    def peek(self, size: int) -> bytes:
        """Return the next bytes without taking them; fewer at the end."""
        while len(self._rest) < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self._rest += bytes(chunk)
        return self._rest[:size]

    def chunk(self, most: int) -> bytes:
        """Take the next bytes, at most `most`; none at the end."""
        if not self._rest:
            self._rest = bytes(next((c for c in self._chunks if c), b""))
        taken, self._rest = self._rest[:most], self._rest[most:]
        self.taken += len(taken)
        return taken

    def readable(self) -> bool:
        """Say that this stream can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes, none at the end."""
        return self.chunk(size if size >= 0 else 1 << 20)

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self.chunk(1 << 62):
            yield chunk

    def __next__(self) -> bytes:
        chunk = self.chunk(1 << 62)
        if not chunk:
            raise StopIteration
        return chunk


def _gunzip(source: _Counted, bounds: Bounds) -> Iterator[bytes]:
    member = zlib.decompressobj(wbits=31)
    rest = source.chunk(bounds.piece)
    while rest or not member.eof:
        if member.eof:  # another member follows, or padding with zeros
            rest = rest.lstrip(b"\0") or source.chunk(bounds.piece).lstrip(b"\0")
            if not rest:
                return
            member = zlib.decompressobj(wbits=31)
        if not rest:
            rest = source.chunk(bounds.piece)
            if not rest:
                raise EOFError
        yield member.decompress(rest, bounds.piece)
        rest = member.unused_data if member.eof else member.unconsumed_tail
        if member.eof and not rest:
            rest = source.chunk(bounds.piece)


def _unzstd(source: _Counted, bounds: Bounds) -> Iterator[bytes]:
    decompressor = zstandard.ZstdDecompressor(max_window_size=bounds.window)
    stream = cast("IO[bytes]", source)  # all that is used of it is `read`
    with decompressor.stream_reader(stream, read_size=1 << 17, read_across_frames=True) as reader:
        while piece := reader.read(bounds.piece):
            yield piece
