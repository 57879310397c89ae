"""Decompression of packages, within limits: gzip, bzip2, xz, the older lzma, and zstd."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Protocol

import zstandard

_CHUNK = 1024 * 1024
_ZSTD_CHUNK = 1024

MAX_SIZE = 64 << 30
"""The largest tar, in bytes."""
FREE = 1 << 30
"""What any tar may become, in bytes; a larger one at most `MAX_RATIO` times what was read."""
MAX_RATIO = 1000
MAX_WINDOW = 512 << 20
"""The most memory that decompression may need, in bytes."""
_COMPRESSIONS = (
    (b"\x1f\x8b", ".gz"),
    (b"\xfd7zXZ", ".xz"),
    (b"\x5d\0\0", ".xz"),  # the older format of lzma, which the same decompressor knows
    (b"\x28\xb5\x2f\xfd", ".zst"),
    (b"BZh", ".bz2"),
)


class Stream(Protocol):
    """What can be read from its beginning to its end."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, none at the end."""


def compression_of(beginning: bytes) -> str | None:
    """Return the suffix of the compression of what begins so, or None for anything else.

    >>> compression_of(b"BZh91AY")
    '.bz2'
    """
    return next((suffix for magic, suffix in _COMPRESSIONS if beginning.startswith(magic)), None)


def decompress(suffix: str, source: Stream, size: int, free: int = FREE) -> Iterator[bytes]:
    """Yield what the next `size` bytes become; `suffix` names the compression, such as ``.xz``.

    Raise as `decompress_pieces` does, and EOFError when the stream ends before.
    """
    return decompress_pieces(suffix, _chunks(source, size), free)


def _chunks(source: Stream, left: int) -> Iterator[bytes]:
    while left:
        chunk = source.read(min(left, _CHUNK))
        if not chunk:
            raise EOFError("it ends in the middle of its tar")
        left -= len(chunk)
        yield chunk


def decompress_pieces(suffix: str, pieces: Iterable[bytes], free: int = FREE) -> Iterator[bytes]:
    """Yield what compressed bytes become; `suffix` names the compression, such as ``.xz``.

    ``.gz+`` is gzip in several members, which belong together.  Raise ValueError for more than
    `MAX_RATIO` times as many bytes beyond `free`, and what the decompressors raise.
    """
    read = made = 0
    decompressor = _decompressor(suffix)
    for chunk in pieces:
        read += len(chunk)
        for piece in decompressor(chunk):
            made += len(piece)
            if made > min(MAX_SIZE, max(free, read * MAX_RATIO)):
                raise ValueError(f"its tar has more than {made:,} bytes")
            yield piece


def decompress_any(pieces: Iterable[bytes], free: int = FREE) -> Iterator[bytes]:
    """Do the same for a compression that is told by how it begins, or for none."""
    pieces = iter(pieces)
    head = next(pieces, b"")
    return decompress_pieces(compression_of(head) or "", chain((head,), pieces), free)


def _decompressor(suffix: str) -> Callable[[bytes], Iterator[bytes]]:
    """Return a function that yields what a chunk becomes, in pieces."""
    match suffix:
        case "":
            return lambda chunk: iter((chunk,))
        case ".xz":
            return _drained(lzma.LZMADecompressor(memlimit=MAX_WINDOW))
        case ".gz":
            return _inflated(zlib.decompressobj(wbits=31))
        case ".gz+":
            return _inflated_members()
        case ".bz2":
            return _drained(bz2.BZ2Decompressor())
        case ".zst":
            return _unpacked(zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW))
        case _:
            raise ValueError(f"unknown compression {suffix}")


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


def _inflated_members() -> Callable[[bytes], Iterator[bytes]]:
    """For gzip members one after the other, whose contents belong together."""
    current = [zlib.decompressobj(wbits=31)]

    def pieces(chunk: bytes) -> Iterator[bytes]:
        while chunk:
            yield current[0].decompress(chunk, _CHUNK)
            chunk = current[0].unconsumed_tail
            if current[0].eof:
                chunk = current[0].unused_data
                current[0] = zlib.decompressobj(wbits=31)

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
