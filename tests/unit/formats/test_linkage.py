"""How an ELF file is linked."""

import json

import pytest

from envlock.formats.binary.linkage import Linkage, parse_linkage
from tests.unit.formats.elf_files import linked_elf


def parse(raw: bytes) -> Linkage | None:
    return parse_linkage(lambda offset, size: raw[offset : offset + size])


@pytest.mark.parametrize(("word", "order", "machine"), [(8, "<", 62), (4, "<", 3), (8, ">", 22)])
def test_a_program_says_what_it_needs_and_where_to_search(word, order, machine):
    raw = linked_elf(
        "liba.so.1", "libb.so.2", runpath="$ORIGIN/../lib:/opt/lib",
        interpreter="/lib64/ld-linux-x86-64.so.2", word=word, order=order, machine=machine,
    )  # fmt: skip
    name = {62: "x86_64", 3: "i386", 22: "s390x"}[machine]
    assert parse(raw) == Linkage(
        machine=name,
        word=word,
        interpreter="/lib64/ld-linux-x86-64.so.2",
        needed=("liba.so.1", "libb.so.2"),
        runpath=("$ORIGIN/../lib", "/opt/lib"),
    )


def test_rpath_and_runpath_are_kept_apart():
    found = parse(linked_elf(soname="libx.so.1", rpath="/a:/b"))
    assert found is not None
    assert (found.soname, found.rpath, found.runpath) == ("libx.so.1", ("/a", "/b"), ())


def test_a_runpath_makes_the_loader_ignore_the_rpath():
    found = parse(linked_elf(rpath="/a", runpath="/b"))
    assert found is not None
    assert (found.rpath, found.runpath) == ((), ("/b",))


def test_an_empty_directory_of_a_run_path_is_the_working_directory():
    found = parse(linked_elf(runpath=":/b"))
    assert found is not None
    assert found.runpath == ("", "/b")


def test_default_directories_may_be_excluded():
    found = parse(linked_elf(flags=0x800))
    assert found is not None
    assert found.is_nodeflib


def test_libraries_that_are_loaded_by_name_are_in_a_note():
    note = [{"feature": "compress", "soname": ["libz.so.1", "libz.so"]}, {"soname": ["libz.so.1"]}]
    found = parse(linked_elf("libc.so.6", dlopen=json.dumps(note).encode()))
    assert found is not None
    assert found.optional == ("libz.so.1", "libz.so")


@pytest.mark.parametrize("note", [b"[", b"{}", b'[{"soname": 3}, 4, {"soname": [5]}]', b"[" * 9999])
def test_a_damaged_note_names_no_library(note):
    found = parse(linked_elf("libc.so.6", dlopen=note))
    assert found is not None
    assert (found.needed, found.optional) == (("libc.so.6",), ())


@pytest.mark.parametrize("raw", [b"", b"#!/bin/sh\n", b"\x7fELF", linked_elf("libc.so.6")[:60]])
def test_what_is_no_elf_file_has_no_linkage(raw):
    found = parse(raw)
    assert found is None or found.needed == ()


def test_a_file_that_ends_early_has_what_is_left():
    raw = linked_elf("libc.so.6")
    assert parse(raw[:4096]) == Linkage(machine="x86_64", word=8)
