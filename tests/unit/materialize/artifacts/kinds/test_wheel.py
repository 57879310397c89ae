"""Wheels are described by the lock, and read as zip archives."""

from __future__ import annotations

import contextlib
import os
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envlock.errors import SourceError
from envlock.materialize.artifacts.kinds.wheel import KIND, Wheel, describe
from envlock.model.lock import Lock
from tests.unit.materialize.packages import digest, write_wheel

BIG = os.urandom(3 << 20)
FILES = {"a/__init__.py": b"x = 1\n", "a/data, with comma": b"data", "a/big.so": BIG}
NAME = "a-1-py3-none-any.whl"


@pytest.fixture
def path(tmp_path):
    return write_wheel(tmp_path / NAME, FILES)


def opened(path):
    return KIND.open(path, path.parent / "unused")


def read(wheel, member, content):
    reader = wheel.find(member, digest(content))
    return None if reader is None else b"".join(reader())


def test_files_are_read(path):
    wheel = opened(path)
    for member, content in FILES.items():
        assert read(wheel, member, content) == content
    assert [len(chunk) for chunk in wheel.find("a/big.so", digest(BIG))()] == [1 << 20] * 3
    wheel.close()


def test_a_file_is_found_by_its_digest_under_another_name(path):
    assert read(opened(path), "a/moved.py", b"x = 1\n") == b"x = 1\n"


def test_a_file_with_another_digest_is_not_found(path):
    assert opened(path).find("a/__init__.py", digest(b"edited")) is None


def test_only_rows_with_sha256_count(tmp_path):
    record = b"a.py,md5=xyz,1\nb.py\nc.py,,\n"
    wheel = opened(write_wheel(tmp_path / NAME, {"a.py": b"a"}, record=record))
    assert wheel.find("a.py", digest(b"a")) is None


def test_a_member_that_only_the_record_names_is_not_found(path, tmp_path):
    with zipfile.ZipFile(path) as archive:
        record = archive.read("a-1.dist-info/RECORD")
    wheel = opened(write_wheel(tmp_path / "b.whl", {}, record=record))
    assert wheel.find("a/__init__.py", digest(b"x = 1\n")) is None


def test_damaged_content_fails_when_it_is_read(path):
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"x = 1\n", b"x = 2\n"))
    reader = opened(path).find("a/__init__.py", digest(b"x = 1\n"))
    with pytest.raises(OSError, match="CRC"):
        list(reader())


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda raw: b"", "not a zip file"),
        (lambda raw: raw[: len(raw) // 2], "not a zip file"),
        (lambda raw: raw.replace(b".dist-info/RECORD", b".dist-info/RECORT"), "no RECORD"),
    ],
)
def test_a_damaged_wheel_is_an_error(path, damage, reason):
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(SourceError, match=reason) as caught:
        opened(path)
    assert caught.value.where == str(path)


@pytest.mark.parametrize("record", [b"a,sha256=A,1\n", b"\xff\xfe,,\n", b'"a\0,sha256=_,1'])
def test_a_damaged_record_is_an_error_or_finds_nothing(tmp_path, record):
    path = write_wheel(tmp_path / NAME, {"a": b"a"}, record=record)
    try:
        wheel = opened(path)
    except SourceError as error:
        assert "not a complete wheel" in error.message
    else:
        assert wheel.find("a", digest(b"a")) is None


@given(st.integers(0, 1100), st.binary(min_size=1, max_size=4))
def test_any_damage_raises_only_source_errors_and_os_errors(at, damage):
    with tempfile.TemporaryDirectory() as top:
        path = write_wheel(Path(top) / NAME, {"a": b"a", "b": b"b" * 600})
        raw = path.read_bytes()
        path.write_bytes(raw[:at] + damage + raw[at + len(damage) :])
        with contextlib.suppress(SourceError, OSError):
            wheel = opened(path)
            assert read(wheel, "a", b"a") in (b"a", None)
            assert read(wheel, "b", b"b" * 600) in (b"b" * 600, None)


def test_a_record_describes_a_wheel():
    name = "Foo_Bar-1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
    facts = {"version": "1.0", "artifact": name, "sha256": "ab"}
    lock = Lock(
        sections={
            "python": {
                "opt/app": {"version": "3.11.2"},
                "opt/app/foo-bar": facts,
                "other/foo-bar": facts,
                "opt/app/source": {"version": "1"},
            }
        }
    )
    found = describe("opt/app/foo-bar", lock)
    assert found == Wheel("foo-bar", "1.0", name, "3.11.2", "ab")
    assert str(found) == f"wheel {name}"
    assert describe("other/foo-bar", lock).python == "3"
    assert describe("opt/app/source", lock) is None
    assert describe("missing", lock) is None


@pytest.mark.parametrize(
    "name", ["x", "x.whl", "a-1.whl", "a-1-py3-any.whl", "a-1-py3-none-any.zip"]
)
def test_only_a_file_name_of_pep_427_describes_a_wheel(name):
    lock = Lock(sections={"python": {"app/a": {"version": "1", "artifact": name}}})
    assert describe("app/a", lock) is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a-1-py2.py3-none-any.whl", "a-1-py3.py2-none-any.whl", True),
        ("A-1-py3-none-any.whl", "a-1-py3-none-any.whl", True),
        ("a-1-cp311-cp311-x.y.whl", "a-1-cp311-cp311-y.x.whl", True),
        ("a-1-cp311-cp311-x.whl", "a-1-cp311-cp311-x.y.whl", False),
        ("a-1-py3-none-any.whl", "a-2-py3-none-any.whl", False),
        ("a-1-1-py3-none-any.whl", "a-1-py3-none-any.whl", False),
        ("a-1-py3-none-any.whl", "nonsense", False),
        ("a-1-cp39-cp39-linux_x86_64.whl", "a-1-cp39-cp39-manylinux1_x86_64.whl", True),
        ("a-1-cp39-cp39-linux_x86_64.whl", "a-1-cp39-cp39-manylinux1_i686.whl", False),
        ("a-1-cp39-cp39-linux_x86_64.whl", "a-1-cp39-cp39-win_x86_64.whl", False),
        ("a-1-cp39-cp39-manylinux1_x86_64.whl", "a-1-cp39-cp39-linux_x86_64.whl", False),
    ],
)
def test_a_wheel_is_recognised_by_its_tags_as_they_are_published(one, other, same):
    assert Wheel("a", "1", one, "3").is_named(other) is same
