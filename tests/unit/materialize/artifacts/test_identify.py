"""A package file is known by its content, whatever its name, and damage gives no name."""

from __future__ import annotations

import io
import tarfile

import pytest

from envlock.materialize.artifacts.identify import CONTROL_LIMIT, METADATA_LIMIT, published_name
from tests.unit.materialize.packages import COMPRESSIONS, ar_bytes, deb_bytes, write_wheel

FIELDS = {"Package": "tool", "Version": "1:2-3", "Architecture": "all"}


@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_the_name_of_a_debian_package(tmp_path, suffix):
    path = tmp_path / "x"
    path.write_bytes(deb_bytes({"./x": b"x"}, suffix=suffix, control=FIELDS))
    assert published_name(path) == "tool_1%3a2-3_all.deb"


def test_the_name_of_a_wheel(tmp_path):
    tags = ("cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-manylinux2014_x86_64")
    path = write_wheel(tmp_path / "x", {"a.py": b""}, name="a_b-1.2", tags=tags)
    assert published_name(path) == (
        "a_b-1.2-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"!<arch>\n",
        b"PK\x03\x04",
        b"something else",
        ar_bytes({"debian-binary": b"2.0\n"}),
        ar_bytes({"control.tar.xz": b"no xz"}),
        ar_bytes({"control.tar.zst": b"no zstd"}),
        ar_bytes({"control.tar.bz2": b"no bzip2"}),
        ar_bytes({"control.tar.gz": b"no gzip"}),
        ar_bytes({"control.tar.lz": b"unknown"}),
        deb_bytes({}, control={"Package": "tool"}),
    ],
)
def test_damage_gives_no_name(tmp_path, content):
    (tmp_path / "x").write_bytes(content)
    assert published_name(tmp_path / "x") == ""


def test_every_cut_gives_the_name_or_none(tmp_path):
    raw = deb_bytes({"./x": b"x" * 100}, suffix=".xz", control=FIELDS)
    for size in range(0, len(raw), 7):
        (tmp_path / "x").write_bytes(raw[:size])
        assert published_name(tmp_path / "x") in ("", "tool_1%3a2-3_all.deb")


def tar(*members):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return raw.getvalue()


def test_the_control_file_is_read_up_to_its_limit(tmp_path):
    text = "".join(f"{name}: {value}\n" for name, value in FIELDS.items()).encode()
    full = (text + b"\n").ljust(METADATA_LIMIT, b" ")
    for content, name in ((full, "tool_1%3a2-3_all.deb"), (full + b" ", "")):
        (tmp_path / "x").write_bytes(ar_bytes({"control.tar": tar(("./control", content))}))
        assert published_name(tmp_path / "x") == name


def test_a_control_file_behind_the_limit_is_not_found(tmp_path):
    text = "".join(f"{name}: {value}\n" for name, value in FIELDS.items()).encode()
    for size, name in ((1000, "tool_1%3a2-3_all.deb"), (CONTROL_LIMIT, "")):
        packed = COMPRESSIONS[".gz"](tar(("./md5sums", bytes(size)), ("./control", text)))
        (tmp_path / "x").write_bytes(ar_bytes({"control.tar.gz": packed}))
        assert published_name(tmp_path / "x") == name
