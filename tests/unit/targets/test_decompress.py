"""Layers are decompressed within bounds, whatever they claim to be."""

from __future__ import annotations

import gzip
import random
import zlib

import pytest
import zstandard

from envlock.errors import TargetError
from envlock.targets.stream.decompress import DEFAULT_BOUNDS, decompressed
from envlock.targets.stream.tar_reader import members

DATA = random.Random(1).randbytes(300_000) + bytes(500_000)
SMALL = DEFAULT_BOUNDS._replace(piece=1000, free=100_000, ratio=100)


def cut(raw: bytes, size: int) -> list[bytes]:
    return [raw[at : at + size] for at in range(0, len(raw), size)]


def zstd(raw: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(raw)


@pytest.mark.parametrize("size", [7, 4096, 10**7])
@pytest.mark.parametrize(
    "raw",
    [
        DATA,
        gzip.compress(DATA),
        zstd(DATA),
        gzip.compress(DATA[:1000]) + gzip.compress(DATA[1000:]),
        gzip.compress(DATA) + bytes(512),
        zstd(DATA[:1000]) + zstd(DATA[1000:]),
        b"\x50\x2a\x4d\x18\x04\x00\x00\x00skip" + zstd(DATA),
    ],
    ids=["plain", "gzip", "zstd", "gzip members", "gzip padding", "zstd frames", "zstd skippable"],
)
def test_every_form_gives_the_same_bytes(raw, size):
    assert b"".join(decompressed(cut(raw, size), "image")) == DATA


def test_a_truncated_layer_is_an_error():
    raw = gzip.compress(DATA)
    with pytest.raises(TargetError, match="damaged"):
        list(decompressed(cut(raw[: len(raw) // 2], 1000), "image"))


def test_a_truncated_zstd_layer_ends_early():
    """The library tells no end of a frame from the end of its input; the reader of the tar does."""
    raw = zstd(DATA)
    found = b"".join(decompressed(cut(raw[: len(raw) // 2], 1000), "image"))
    assert len(found) < len(DATA)
    with pytest.raises(TargetError, match="truncated"):
        list(members([bytes(700)[:300]]))


@pytest.mark.parametrize("raw", [gzip.compress(DATA), zstd(DATA)], ids=["gzip", "zstd"])
def test_a_damaged_layer_is_an_error_or_other_bytes(raw):
    damaged = bytearray(raw)
    damaged[len(raw) // 2] ^= 255
    try:
        found = b"".join(decompressed(cut(bytes(damaged), 1000), "image"))
    except TargetError:
        return
    assert found != DATA
    assert not raw.startswith(b"\x1f\x8b"), "gzip has a checksum"


def test_nothing_is_nothing():
    assert list(decompressed([], "image")) == []
    assert list(decompressed([b"", b""], "image")) == []


@pytest.mark.parametrize("form", [gzip.compress, zstd])
def test_a_bomb_is_refused_at_its_bound(form):
    bomb = form(bytes(50_000_000))
    size = 0
    with pytest.raises(TargetError, match="a layer of more than"):
        for piece in decompressed(cut(bomb, 100), "image", SMALL):
            size += len(piece)
            assert len(piece) <= 200_000
    assert size <= max(SMALL.free, len(bomb) * SMALL.ratio)


def test_what_is_below_the_bound_is_read():
    raw = bytes(90_000)
    assert b"".join(decompressed(cut(gzip.compress(raw), 50), "image", SMALL)) == raw


def test_no_piece_is_larger_than_the_bound():
    pieces = [len(p) for p in decompressed([gzip.compress(DATA)], "image")]
    assert max(pieces) <= DEFAULT_BOUNDS.piece
    assert sum(pieces) == len(DATA)


def test_a_zstd_frame_may_not_ask_for_much_memory():
    parameters = zstandard.ZstdCompressionParameters(window_log=24)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    wide = stream.compress(DATA * 30) + stream.flush()
    with pytest.raises(TargetError, match="damaged"):
        list(decompressed([wide], "image", DEFAULT_BOUNDS._replace(window=1 << 20)))
    assert zlib.crc32(b"".join(decompressed([wide], "image"))) == zlib.crc32(DATA * 30)
