"""Packs: what goes in comes out, boundaries follow the content, and damage is found."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envlock.store.packs import (
    LARGE,
    LARGEST_PACK,
    MAGIC,
    PackError,
    Reader,
    divide,
    read_object,
    read_table,
    write_pack,
)


def reader_of(raw: bytes) -> Reader:
    return lambda offset, size: raw[offset : offset + size]


def named(*contents: bytes) -> Mapping[str, bytes]:
    return {hashlib.sha256(content).hexdigest(): content for content in contents}


OBJECTS = named(b"", b"a", b"text " * 1000, random.Random(1).randbytes(5000))
PACK = write_pack(OBJECTS, OBJECTS.__getitem__)


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_what_goes_in_comes_out(contents: list[bytes]) -> None:
    objects = named(*contents)
    read = reader_of(write_pack(objects, objects.__getitem__))
    assert {each.sha256: read_object(read, each) for each in read_table(read)} == objects


def test_the_order_of_the_objects_does_not_matter() -> None:
    assert write_pack(reversed(list(OBJECTS)), OBJECTS.__getitem__) == PACK


def test_what_compresses_is_compressed_and_the_rest_is_not() -> None:
    by_digest = {each.sha256: each.is_compressed for each in read_table(reader_of(PACK))}
    text, noise = (hashlib.sha256(c).hexdigest() for c in list(OBJECTS.values())[2:])
    assert by_digest[text]
    assert not by_digest[noise]


def test_an_object_with_another_digest_is_not_packed() -> None:
    with pytest.raises(PackError, match="does not match its digest"):
        write_pack(["ab" * 32], lambda _: b"x")


@pytest.mark.parametrize("position", range(0, len(PACK), 61))
def test_every_flipped_byte_is_found(position: int) -> None:
    raw = bytearray(PACK)
    raw[position] ^= 1
    read = reader_of(bytes(raw))
    with pytest.raises(PackError):
        for each in read_table(read):
            read_object(read, each)


@pytest.mark.parametrize("size", [0, 5, len(MAGIC), len(MAGIC) + 4, 60, len(PACK) - 1])
def test_every_cut_is_found(size: int) -> None:
    read = reader_of(PACK[:size])
    with pytest.raises(PackError):
        for each in read_table(read):
            read_object(read, each)


def sizes(count: int, seed: int = 1, size: int = 100) -> dict[str, int]:
    generator = random.Random(seed)
    return {generator.randbytes(32).hex(): size for _ in range(count)}


def test_every_small_object_is_in_one_pack() -> None:
    found = sizes(5000) | {"ff" * 32: LARGE, "fe" * 32: LARGE - 1}
    packs = list(divide(found))
    assert sorted(sha256 for pack in packs for sha256 in pack) == sorted(found.keys() - {"ff" * 32})
    assert 40 < len(packs) < 160


def test_a_change_moves_one_pack() -> None:
    before = sizes(5000)
    after = dict(list(before.items())[1:]) | sizes(1, seed=2)
    old, new = set(divide(before)), set(divide(after))
    assert len(new - old) <= 3


def test_no_pack_is_larger_than_the_limit_by_more_than_one_object() -> None:
    odd = {f"{number:062x}01": LARGE - 1 for number in range(200)}
    for pack in divide(odd):
        assert sum(odd[sha256] for sha256 in pack) < LARGEST_PACK + LARGE
