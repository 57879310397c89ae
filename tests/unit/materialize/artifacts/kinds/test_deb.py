"""Debian packages are described by the lock, and read without dpkg."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envlock.errors import SourceError
from envlock.materialize.artifacts.artifact import Rooms
from envlock.materialize.artifacts.kinds.deb import Deb, describe, unpack
from envlock.model.lock import Lock
from tests.unit.materialize.packages import (
    COMPRESSIONS,
    ar_bytes,
    deb_bytes,
    digest,
    tar_bytes,
)

BIG = os.urandom(3 << 20)
FILES = {"./usr/bin/tool": b"#!/bin/sh\n", "./usr/share/big": BIG, "./etc/\udce4": b"odd"}


@pytest.fixture
def cache(tmp_path):
    return Rooms(tmp_path / "members", tmp_path / "unpacked")


def write(tmp_path, raw, name="a_1_all.deb"):
    path = tmp_path / name
    path.write_bytes(raw)
    return path


def read(package, member, content):
    reader = package.find(member, digest(content))
    return None if reader is None else b"".join(reader())


@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_files_are_read_whatever_the_compression(tmp_path, cache, suffix):
    package = unpack(write(tmp_path, deb_bytes(FILES, suffix=suffix)), cache)
    for path, content in FILES.items():
        assert read(package, path.removeprefix("./"), content) == content
    package.close()


def test_a_file_is_found_by_its_digest_under_another_name(tmp_path, cache):
    package = unpack(write(tmp_path, deb_bytes(FILES)), cache)
    assert read(package, "usr/bin/renamed", b"#!/bin/sh\n") == b"#!/bin/sh\n"
    assert read(package, "etc/\udce4", BIG) == BIG


def test_a_file_with_another_digest_is_not_found(tmp_path, cache):
    package = unpack(write(tmp_path, deb_bytes(FILES)), cache)
    assert package.find("usr/bin/tool", digest(b"edited")) is None


def test_a_hard_link_has_the_content_of_its_file(tmp_path, cache):
    raw = deb_bytes({"./bin/a": b"a"}, links={"./bin/b": "./bin/a", "./bin/c": "./bin/missing"})
    package = unpack(write(tmp_path, raw), cache)
    assert read(package, "bin/b", b"a") == b"a"
    assert sorted(package.members) == ["bin/a", "bin/b"]


def test_the_members_of_a_package_are_found_once(tmp_path, cache):
    deb = write(tmp_path, deb_bytes(FILES))
    first = unpack(deb, cache)
    (table,) = cache.tables.iterdir()
    before = table.stat().st_ino
    assert unpack(deb, cache).members == first.members
    assert table.stat().st_ino == before


def test_another_package_of_the_same_name_and_size_is_not_taken_for_it(tmp_path, cache):
    for content in (b"one", b"two"):
        deb = write(tmp_path, deb_bytes({"./x": content}, suffix=""))
        assert read(unpack(deb, cache), "x", content) == content


def test_a_package_is_decompressed_when_it_is_read_first(tmp_path, cache):
    deb = write(tmp_path, deb_bytes(FILES))
    unpack(deb, cache)
    later = unpack(deb, Rooms(cache.tables, tmp_path / "later"))
    assert not (tmp_path / "later").exists()
    assert read(later, "etc/\udce4", b"odd") == b"odd"
    deb.unlink()
    assert read(later, "usr/share/big", BIG) == BIG


def test_a_package_that_was_damaged_since_is_an_error_when_read(tmp_path, cache):
    deb = write(tmp_path, deb_bytes(FILES))
    unpack(deb, cache)
    later = unpack(deb, Rooms(cache.tables, tmp_path / "later"))
    deb.write_bytes(bytes(deb.stat().st_size))
    with pytest.raises(OSError, match="no ar archive"):
        read(later, "etc/\udce4", b"odd")


def test_a_damaged_table_is_made_again(tmp_path, cache):
    deb = write(tmp_path, deb_bytes(FILES))
    unpack(deb, cache)
    (path,) = cache.tables.iterdir()
    path.write_bytes(path.read_bytes()[:100])
    assert read(unpack(deb, cache), "usr/share/big", BIG) == BIG


def test_a_tar_that_was_truncated_later_is_an_error_when_read(tmp_path, cache):
    package = unpack(write(tmp_path, deb_bytes(FILES)), cache)
    reader = package.find("usr/share/big", digest(BIG))
    (path,) = cache.tars.iterdir()
    path.write_bytes(path.read_bytes()[:4096])
    with pytest.raises(OSError, match="became shorter"):
        list(reader())


def test_zeros_in_a_package_take_no_room(tmp_path, cache):
    zeros = bytes(32 << 20)
    package = unpack(write(tmp_path, deb_bytes({"./zeros": zeros}, suffix=".gz")), cache)
    (path,) = cache.tars.iterdir()
    assert path.stat().st_blocks * 512 < 1 << 20
    assert read(package, "zeros", zeros) == zeros


WHOLE = deb_bytes({"./usr/bin/tool": os.urandom(9000)})


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "no ar archive"),
        (b"PK\3\4" + bytes(100), "no ar archive"),
        (WHOLE[:30], "in the middle of an ar header"),
        (WHOLE[:-3000], "in the middle of its tar"),
        (ar_bytes({"debian-binary": b"2.0\n"}), "no data.tar"),
        (WHOLE.replace(b"4         `", b"-60       `", 1), "a member of -60 bytes"),
        (ar_bytes({"data.tar.lz": b"LZIP"}), "unknown compression .lz"),
        (ar_bytes({"data.tar.gz": b"not gzip"}), "incorrect header"),
        (ar_bytes({"data.tar.xz": b"not xz"}), "format not supported"),
        (ar_bytes({"data.tar.zst": b"not zstd at all"}), "zstd"),
        (ar_bytes({"data.tar": tar_bytes({"./a": b"a" * 2000})[:1500]}), "in the middle of a file"),
        (WHOLE.replace(b"`\n", b"??", 1), "in the middle of an ar header"),
    ],
)
def test_a_damaged_package_is_an_error_and_is_not_cached(tmp_path, cache, raw, reason):
    deb = write(tmp_path, raw)
    with pytest.raises(SourceError, match=reason) as caught:
        unpack(deb, cache)
    assert caught.value.where == str(deb)
    assert list(cache.tables.iterdir()) == []


SMALL = [deb_bytes({"./a": b"a", "./b": b"b" * 600}, suffix=suffix) for suffix in COMPRESSIONS]


@given(st.sampled_from(SMALL), st.integers(0, 700), st.binary(max_size=4))
def test_any_damage_raises_only_source_errors(whole, at, damage):
    raw = whole[:at] + damage + whole[at + len(damage) :]
    with tempfile.TemporaryDirectory() as top, contextlib.suppress(SourceError):
        package = unpack(write(Path(top), raw), Rooms(Path(top) / "a", Path(top) / "b"))
        for member in package.members.values():
            reader = package.find("", member.sha256)
            assert digest(b"".join(reader())) == member.sha256


def test_a_record_describes_a_package():
    facts = {"version": "1:2.3-4", "source": "srcpkg", "sha256": "ab"}
    lock = Lock(
        sections={"deb": {"lib:amd64": facts, "plain:all": {"version": "1"}, "odd:all": {}}}
    )
    found = describe("lib:amd64", lock)
    assert found == Deb("lib", "1:2.3-4", "amd64", "srcpkg", "ab")
    assert (found.filename, str(found)) == ("lib_1%3a2.3-4_amd64.deb", "deb lib:amd64 1:2.3-4")
    assert found.is_named("lib_1%3a2.3-4_amd64.deb")
    assert not found.is_named("lib_2.3-4_amd64.deb")
    assert describe("plain:all", lock) == Deb("plain", "1", "all", "plain")
    assert describe("odd:all", lock) is None
    assert describe("missing:all", lock) is None
