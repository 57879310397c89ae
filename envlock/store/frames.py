"""Zstd frames of what travels: made in one way, and unpacked no further than their stated size."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from zstandard import ZstdCompressionDict

WINDOW = 128 * 1024 * 1024
"""Largest window of a frame that is unpacked in pieces, in bytes: the memory that it takes."""
_PIECE = 1024 * 1024
_DEEPEST, _WIDEST = 24, 27
"""Largest logarithms of the tables of a compressor, and of its window."""


class FrameError(ValueError):
    """A frame that is damaged, or does not have the size that was stated."""


def frame(content: bytes, level: int) -> bytes:
    """Return a content as one frame that states its size."""
    import zstandard

    return zstandard.ZstdCompressor(level=level, write_checksum=False).compress(content)


def frame_against(base: bytes, content: bytes) -> bytes:
    """Return a content as one frame whose dictionary is `base`: what both have takes no room.

    The tables are as large as both together, so that lines far apart are found again.  The usual
    levels have small tables, or take minutes.
    """
    import zstandard

    bits = max(10, (len(base) + len(content)).bit_length())
    parameters = zstandard.ZstdCompressionParameters(
        window_log=min(bits, _WIDEST),
        chain_log=min(bits, _DEEPEST + 1),
        hash_log=min(bits - 1, _DEEPEST),
        search_log=6,
        min_match=6,
        target_length=999,
        strategy=zstandard.STRATEGY_LAZY2,
        write_checksum=False,
    )
    known = _dictionary(base) if base else None
    packer = zstandard.ZstdCompressor(compression_params=parameters, dict_data=known)
    return packer.compress(content)


def unpack_frame(raw: bytes, size: int, base: bytes = b"") -> bytes:
    """Return the content of a frame of `size` bytes, made against `base` unless that is empty.

    Raise FrameError when it is damaged, or has another size; no more memory than that is taken.
    """
    import zstandard

    try:
        if zstandard.frame_content_size(raw) not in (size, -1):
            raise FrameError("a frame of another size than stated")
        unpacker = zstandard.ZstdDecompressor(dict_data=_dictionary(base) if base else None)
        content = unpacker.decompress(raw, max_output_size=size, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise FrameError("a frame that cannot be unpacked") from error
    if len(content) != size:
        raise FrameError("a frame of another size than stated")
    return content


def unpacked_pieces(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Yield the content of a frame that comes in chunks.

    Raise FrameError when it is damaged, or does not have `size` bytes; no more is unpacked.
    """
    import zstandard

    unpacker = zstandard.ZstdDecompressor(max_window_size=WINDOW)
    reader = unpacker.stream_reader(io.BufferedReader(_Chunks(chunks), _PIECE))
    left = size
    try:
        while piece := reader.read(_PIECE):
            left -= len(piece)
            if left < 0:
                break
            yield piece
    except zstandard.ZstdError as error:
        raise FrameError("a frame that cannot be unpacked") from error
    if left:
        raise FrameError("a frame of another size than stated")


class _Chunks(io.RawIOBase):
    """Chunks as a stream."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._held = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        while not self._held:
            found = next(self._chunks, None)
            if found is None:
                return 0
            self._held = found
        piece, self._held = self._held[: len(view)], self._held[len(view) :]
        view[: len(piece)] = piece
        return len(piece)


def _dictionary(base: bytes) -> ZstdCompressionDict:
    import zstandard

    return zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
