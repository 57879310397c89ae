"""Parsers raise only what they document, on anything: a short run of what `scripts/fuzz` does.

Without guidance by coverage, which that script has, but the same on every machine: the inputs that
are kept, and random ones.
"""

from __future__ import annotations

import random
import zlib
from contextlib import suppress

import pytest

from tests.fuzz.corpus import FOLDER, LARGEST, ROOM, chosen, read_corpus
from tests.fuzz.parsers import ALLOWED, parsers

EXECUTIONS = 400
PIECES = (
    b"\0", b"\xff", b"\n", b"\n\n", b" ", b"\t", b":", b"=", b"[", b"]", b"{", b"}", b'"', b"'",
    b"\\", b"a", b"1", b"-1", b"1e999", b"1" * 5000, b"/", b"../", b"#", b",", b";", b"(", b")",
    b"<", b">", b"Package: a\n", b"Version: 1\n", b'"version": ', b"[[",
    b'lock-version = "1.0"\n', b"\x7fELF", b"SQLite format 3\0", b"\x8e\xad\xe8\x01",
    b"-----BEGIN CERTIFICATE-----\n", b"\x1f\x8b\x08", b"PK\x03\x04", b"null", b"true", b"[[[[",
    b'{"a":', b"\xed\xa0\x80", b"\\ud800", b"\r\n",
)  # fmt: skip


@pytest.mark.parametrize("name", sorted(parsers()))
def test_a_parser_raises_what_it_documents(name: str) -> None:
    run = parsers()[name]
    for data in read_corpus(name):
        with suppress(*ALLOWED):
            run(data)
    source = random.Random(zlib.crc32(name.encode()))
    for _ in range(EXECUTIONS):
        data = b"".join(source.choices(PIECES, k=source.randrange(1, 24)))
        if source.random() < 0.3:
            data += source.randbytes(source.randrange(64))
        with suppress(*ALLOWED):
            run(data)


def test_inputs_are_kept_for_parsers_and_are_small() -> None:
    names = {path.stem for path in FOLDER.iterdir()}
    assert names <= set(parsers())
    assert len(names) >= 145
    sizes = {name: sum(map(len, read_corpus(name))) for name in names}
    assert max(sizes.values()) <= ROOM
    assert sum(sizes.values()) < 1_000_000
    assert all(len(one) <= LARGEST for name in names for one in read_corpus(name))


def test_an_input_is_kept_when_it_goes_where_none_did() -> None:
    run = parsers()["json"]
    found = chosen(run, [b"[]", b"[[]]", b"{", b"[1]", b"\\", b"[]"])
    assert found[0] in (b"{", b"\\")
    assert chosen(run, [*found, *found]) == found
    assert chosen(run, [b"[1]", b"[2]"]) == [b"[1]"]
