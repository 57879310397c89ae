"""Deltas and frames: what goes in comes out, and what does not match is refused within bounds."""

from __future__ import annotations

import hashlib
import random
import struct
import tracemalloc
from collections.abc import Mapping

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from envlock.store import deltas
from envlock.store.deltas import (
    LARGEST_DELTA,
    MAGIC,
    MOST_DELTA_OBJECTS,
    DeltaError,
    fits,
    read_delta,
    read_objects_of,
    write_delta,
)
from envlock.store.frames import FrameError, frame, frame_against, unpack_frame, unpacked_pieces
from envlock.store.packs import MAGIC as PACK_MAGIC
from envlock.store.packs import PackError, read_object, read_table

OLD = b"".join(
    b"/usr/%05d\t0644\t%s\n" % (n, hashlib.sha256(b"%d" % n).digest()) for n in range(3000)
)
NEW = OLD.replace(b"/usr/01234", b"/usr/x1234") + b"one more\n"
BOMB = bytes(64 << 20)


def named(*contents: bytes) -> dict[str, bytes]:
    return {hashlib.sha256(content).hexdigest(): content for content in contents}


def sizes(objects: Mapping[str, bytes]) -> dict[str, int]:
    return {sha256: len(content) for sha256, content in objects.items()}


def made(bases: Mapping[str, bytes], objects: Mapping[str, bytes]) -> bytes:
    everything = {**bases, **objects}
    return write_delta(sizes(bases), sizes(objects), everything.__getitem__)


def taken(raw: bytes, bases: Mapping[str, bytes]) -> dict[str, bytes]:
    delta = read_delta(lambda at, size: raw[at : at + size])
    return dict(read_objects_of(delta, raw[delta.start :], bases.__getitem__))


@given(st.lists(st.binary(max_size=99), max_size=5), st.lists(st.binary(max_size=99), max_size=5))
def test_what_goes_in_comes_out(old: list[bytes], new: list[bytes]) -> None:
    bases = named(*old)
    objects = {sha: content for sha, content in named(*new).items() if sha not in bases}
    assert taken(made(bases, objects), bases) == objects


def test_a_few_changed_lines_take_a_few_bytes() -> None:
    bases, objects = named(OLD), named(NEW)
    raw = made(bases, objects)
    assert taken(raw, bases) == objects
    assert len(raw) < 300 < len(frame(NEW, 9)) / 100


def test_the_same_objects_give_the_same_delta() -> None:
    assert made(named(OLD), named(NEW)) == made(named(OLD), named(NEW))


def test_every_damage_is_found() -> None:
    bases, objects = named(OLD), named(NEW, b"x" * 50)
    raw = made(bases, objects)
    refused = 0
    for place in range(len(raw)):
        flipped = bytearray(raw)
        flipped[place] ^= 1
        try:
            assert taken(bytes(flipped), bases) == objects
        except (DeltaError, KeyError):  # a base of another digest is not there
            refused += 1
    assert refused >= len(raw) - 4  # of the header of a frame, some bits say nothing
    for size in range(0, len(raw), 7):
        with pytest.raises(DeltaError):
            taken(raw[:size], bases)
    with pytest.raises(DeltaError):
        taken(raw + b"\0", bases)


def test_another_base_is_refused() -> None:
    bases = named(OLD)
    raw = made(bases, named(NEW))
    (sha256,) = bases
    with pytest.raises(DeltaError):
        taken(raw, {sha256: OLD.replace(b"/usr/00001", b"/usr/9")})
    with pytest.raises(DeltaError):
        taken(raw, {sha256: bytes(reversed(OLD))})


def without_a_size(content: bytes) -> bytes:
    packer = zstandard.ZstdCompressor(level=1, write_content_size=False)
    return packer.compress(content)


@pytest.mark.parametrize("bomb", [frame(BOMB, 1), without_a_size(BOMB)], ids=["stated", "unstated"])
def test_a_frame_is_unpacked_no_further_than_its_stated_size(bomb: bytes) -> None:
    size = 1000
    digest = bytes(32)
    delta = MAGIC + struct.pack(">II32sQ", 0, 1, digest, size) + bomb
    head = len(PACK_MAGIC) + 4 + 57
    assert len(bomb) > size  # so the table of a pack must state more
    pack = PACK_MAGIC + struct.pack(">I32sQQQB", 1, digest, head, len(bomb), len(bomb), 1) + bomb

    def of_pack(at: int, count: int) -> bytes:
        return pack[at : at + count]

    tracemalloc.start()
    with pytest.raises(DeltaError):
        taken(delta, {})
    with pytest.raises(FrameError):
        unpack_frame(bomb, size)
    with pytest.raises(PackError):
        read_object(of_pack, *read_table(of_pack))
    with pytest.raises(FrameError):
        b"".join(unpacked_pieces([bomb], size))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


def test_pieces_of_a_frame_are_those_of_its_content() -> None:
    content = random.Random(1).randbytes(3 << 20) + OLD
    raw = frame(content, 1)
    chunks = [raw[at : at + 70_001] for at in range(0, len(raw), 70_001)]
    assert b"".join(unpacked_pieces(chunks, len(content))) == content
    for size in (len(content) - 1, len(content) + 1):
        with pytest.raises(FrameError):
            b"".join(unpacked_pieces(chunks, size))
    for damaged in (chunks[:-1], [], [b"nothing"], [*chunks[:3], b"\0" * 70_001, *chunks[4:]]):
        with pytest.raises(FrameError):
            b"".join(unpacked_pieces(damaged, len(content)))


def test_a_frame_that_wants_much_memory_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters.from_level(1, window_log=28)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    raw = packer.compress(OLD) + packer.flush()
    with pytest.raises(FrameError):
        b"".join(unpacked_pieces([raw], len(OLD)))


def table_of(bases: int, objects: int, size: int = 0) -> bytes:
    rows = b"".join(n.to_bytes(32, "big") + bytes(8) for n in range(bases + objects - 1))
    rows += b"\xff" * 32 + size.to_bytes(8, "big")
    return MAGIC + struct.pack(">II", bases, objects) + rows


def read(raw: bytes) -> deltas.Delta:
    return read_delta(lambda at, size: raw[at : at + size])


def test_bases_and_objects_of_a_delta() -> None:
    assert len(read(table_of(0, MOST_DELTA_OBJECTS)).objects) == MOST_DELTA_OBJECTS
    assert len(read(table_of(MOST_DELTA_OBJECTS, 1)).bases) == MOST_DELTA_OBJECTS
    for bases, objects in ((0, MOST_DELTA_OBJECTS + 1), (MOST_DELTA_OBJECTS + 1, 1)):
        with pytest.raises(DeltaError, match="more than"):
            read(table_of(bases, objects))


def test_the_bytes_of_a_delta() -> None:
    assert read(table_of(1, 1, LARGEST_DELTA)).objects
    assert fits({"a": 1}, {"b": LARGEST_DELTA - 1})
    assert not fits({"a": 1}, {"b": LARGEST_DELTA})
    with pytest.raises(DeltaError, match="more than"):
        read(table_of(1, 1, LARGEST_DELTA + 1))


def test_tables_that_name_an_object_twice_are_refused() -> None:
    row = bytes(40)
    for counts in ((2, 0), (1, 1), (0, 2)):
        with pytest.raises(DeltaError, match="twice"):
            read(MAGIC + struct.pack(">II", *counts) + row + row)


def test_a_frame_against_nothing_is_a_frame() -> None:
    assert unpack_frame(frame_against(b"", OLD), len(OLD)) == OLD
