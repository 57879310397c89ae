"""What is noted of files while a target is read as a stream."""

from __future__ import annotations

import pytest

from envlock.capture import beginnings
from envlock.capture.beginnings import Beginnings, Pieces
from envlock.model.tree import Entry, EntryType
from tests.unit.formats.elf_files import linked_elf

LIBRARY = linked_elf("libb.so.1", soname="liba.so.1", runpath="/opt/lib")


def watched(notes: Beginnings, content: bytes, digest: str, step: int = 1 << 20) -> None:
    watcher = notes.watch(Entry("/x", EntryType.FILE, size=len(content)))
    for at in range(0, len(content), step):
        watcher.write(content[at : at + step])
    watcher.close(digest)


@pytest.mark.parametrize("step", [1, 3, 100, 4096, 1 << 20])
def test_a_library_is_parsed_whatever_pieces_it_comes_in(step: int) -> None:
    notes = Beginnings()
    watched(notes, LIBRARY, "a", step)
    found = notes.linkage("a")
    assert found is not None
    assert (found.soname, found.needed, found.runpath) == (
        "liba.so.1",
        ("libb.so.1",),
        ("/opt/lib",),
    )


@pytest.mark.parametrize("step", [1, 300, 1 << 20])
def test_of_a_script_the_content_is_kept(step: int) -> None:
    notes = Beginnings()
    content = b"#!/bin/sh -e\n" + b"echo hello\n" * 100
    watched(notes, content, "a", step)
    assert (notes.line("a"), notes.script("a")) == (b"#!/bin/sh -e", content)


def test_of_other_files_it_is_known_that_they_are_neither() -> None:
    notes = Beginnings()
    for content in (b"", b"#", b"\x7fEL", b"text" * 100):
        watched(notes, content, "a")
        assert notes.knows("a")
        assert (notes.linkage("a"), notes.line("a"), notes.script("a")) == (None, b"", None)
    assert not notes.knows("")


def test_a_script_at_the_limit_is_kept_and_one_above_has_its_line() -> None:
    notes = Beginnings()
    content = b"#!/bin/sh\n".ljust(beginnings.SCRIPT_LIMIT, b"#")
    watched(notes, content, "a")
    watched(notes, content + b"#", "b")
    assert notes.script("a") == content
    assert (notes.script("b"), notes.line("b")) == (None, b"#!/bin/sh")
    assert notes.knows("b")


def test_scripts_are_kept_until_their_room_is_used_up() -> None:
    notes = Beginnings(scripts=100)
    watched(notes, b"#!/bin/sh\n".ljust(100), "a")
    watched(notes, b"#!/bin/sh\n#", "b")
    assert notes.script("a") is not None
    assert (notes.script("b"), notes.line("b")) == (None, b"#!/bin/sh")


def test_a_library_at_the_limit_is_parsed_and_one_above_is_unknown() -> None:
    notes = Beginnings(largest=len(LIBRARY))
    watched(notes, LIBRARY, "a")
    watched(notes, LIBRARY + b"\0", "b")
    assert notes.knows("a")
    assert not notes.knows("b")


def test_above_the_number_of_notes_nothing_is_known_of_other_files() -> None:
    notes = Beginnings(most=2)
    for digest in "abc":
        watched(notes, LIBRARY, digest)
    assert [notes.knows(digest) for digest in "abcd"] == [True, True, False, False]


@pytest.mark.parametrize(("offset", "size"), [(0, 3), (2, 5), (5, 1), (9, 9), (10, 1), (3, 0)])
def test_pieces_are_read_like_one_file(offset: int, size: int) -> None:
    pieces = Pieces()
    for piece in (b"abc", b"", b"d", b"efghij"):
        pieces.add(piece)
    assert pieces.read(offset, size) == b"abcdefghij"[offset : offset + size]
