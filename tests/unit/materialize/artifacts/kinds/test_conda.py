"""Conda packages: members as published, and as rattler installs them with a prefix."""

from __future__ import annotations

import bz2
import io
import json
import zipfile
from pathlib import Path

import pytest
import zstandard

from envlock.errors import SourceError
from envlock.formats.conda import Placeholder
from envlock.formats.conda_prefix import by_conda, by_rattler
from envlock.materialize.artifacts.artifact import Reference, Rooms
from envlock.materialize.artifacts.kinds.conda import (
    KIND,
    Conda,
    Limits,
    OpenConda,
    describe,
    placed,
    stated,
    unpack,
)
from envlock.materialize.artifacts.table import artifact_of, open_artifact
from envlock.materialize.artifacts.verify import is_locked_file, sha256_of
from envlock.model.lock import Lock
from tests.conda_packages import PLACEHOLDER, PURE, TOOL, build, conda_bytes, install
from tests.unit.materialize.packages import digest, tar_bytes

LONG = f"/srv/{'long' * 32}/env"
PREFIXES = ("/opt/env", LONG, "/srv/with space/env")


def artifact(path: Path, prefix: str = "/opt/env", folder: str = "") -> Conda:
    suffix = "conda" if path.name.endswith(".conda") else "tar.bz2"
    words = f"tool 1.0 h_0 linux-64 {suffix} sha256:{sha256_of(path)}"
    found = stated(f"{words} {prefix.encode().hex()} {folder.encode().hex()}")
    assert found is not None
    return found


def opened(path: Path, prefix: str = "/opt/env", **limits: int) -> OpenConda:
    rooms = Rooms(path.parent / "tables", path.parent / "tars")
    if limits:
        found = placed(unpack(path, rooms, Limits(**limits)), artifact(path, prefix))
    else:
        found = open_artifact(artifact(path, prefix), path, rooms)
    assert isinstance(found, OpenConda)
    return found


@pytest.mark.parametrize("listed", [True, False], ids=["paths.json", "has_prefix"])
@pytest.mark.parametrize("suffix", ["conda", "tar.bz2"])
def test_every_file_that_rattler_installs_is_found_with_its_prefix(
    tmp_path: Path, suffix: str, listed: bool
) -> None:
    path = build(tmp_path / "channel", "tool", TOOL, suffix=suffix, listed=listed)
    for number, prefix in enumerate(PREFIXES):
        scratch, into = tmp_path / f"scratch{number}", tmp_path / f"env{number}"
        scratch.mkdir()
        install([path], into, prefix, (tmp_path / "channel").as_uri(), scratch)
        package = opened(path, prefix)
        members = {sha256: member for member, sha256 in package.contents().items()}
        for name in TOOL:
            content = (into / name).read_bytes()
            member = members[digest(content)]
            reader = package.find(member, digest(content))
            assert reader is not None, (prefix, name)
            assert b"".join(reader()) == content
            assert package.find(member, digest(b"other")) is None
            assert (PLACEHOLDER.encode() in TOOL[name]) == ("-prefix/1 " in member)


def test_without_a_prefix_members_are_as_published(tmp_path: Path) -> None:
    path = build(tmp_path, "tool", TOOL)
    package = unpack(path, Rooms(tmp_path / "cache", tmp_path / "cache"))
    assert dict(package.contents()) == {name: digest(content) for name, content in TOOL.items()}


TEXT = Placeholder("/old", is_binary=False)
BINARY = Placeholder("/old", is_binary=True)
TO = "/n"
CONDA = {
    "text": (
        TEXT,
        b"#!/old/bin/python -s\n/old:/old/lib\n",
        TO,
        b"#!/n/bin/python -s\n/n:/n/lib\n",
    ),
    "text as UTF-16": (TEXT, "a=/old\n".encode("utf-16-le"), TO, "a=/n\n".encode("utf-16-le")),
    "a space in a shebang": (
        TEXT,
        b"#!/old/bin/python -s\n/old\n",
        "/a b",
        b"#!/usr/bin/env python -s\n/a b\n",
    ),
    "a long shebang": (TEXT, b"#!/old/bin/x\n", LONG, b"#!/usr/bin/env x\n"),
    "no shebang of a path": (TEXT, b"#! x/old\n", "/a b", b"#! x/a b\n"),
    "strings": (BINARY, b"A/old/x:/old\0B\0/old\0", TO, b"A/n/x:/n\0\0\0\0\0B\0/n\0\0\0"),
    "a string without an end": (BINARY, b"/old\0/old", TO, b"/n\0\0\0/old"),
    "strings as UTF-16": (
        BINARY,
        "/old\0x".encode("utf-16-le"),
        TO,
        "/n\0\0\0x".encode("utf-16-le"),
    ),
}
"""What conda 26 makes of a content: placeholder, before, prefix, after."""


@pytest.mark.parametrize("name", CONDA)
def test_the_rule_of_conda(name: str) -> None:
    placeholder, before, prefix, after = CONDA[name]
    assert by_conda(before, placeholder, prefix) == after


def test_a_prefix_that_is_longer_than_a_string_has_no_room(tmp_path: Path) -> None:
    for rule in (by_conda, by_rattler):
        with pytest.raises(ValueError, match="longer than its placeholder"):
            rule(b"/old\0", BINARY, "/longer")
    path = build(tmp_path, "tool", TOOL)
    found = opened(path, "/" + "x" * 300).contents()
    assert "conda-prefix/1 bin/tool" in found
    assert "conda-prefix/1 lib/libtool.so" not in found


def test_a_rule_that_nobody_knows_is_no_rule(tmp_path: Path) -> None:
    path = build(tmp_path, "tool", TOOL)
    package = opened(path)
    contents = package.contents()
    made = contents["conda-prefix/1 bin/tool"]
    assert package.find("other-prefix/1 bin/tool", made) is None
    assert package.find("conda-prefix/1 bin/plain", made) is None
    assert package.find("conda-prefix/1 ../../etc/passwd", made) is None


def test_the_largest_file_in_which_a_placeholder_is_replaced(
    tmp_path: Path,
) -> None:
    content = PLACEHOLDER.encode() * 10 + b"\n"
    path = build(tmp_path, "tool", {"a": content})
    for prefix in ("/n", "/" + "x" * 300):
        size = max(len(content), len(content.replace(PLACEHOLDER.encode(), prefix.encode())))
        assert "conda-prefix/1 a" in opened(path, prefix, replaced=size).contents()
        assert "conda-prefix/1 a" not in opened(path, prefix, replaced=size - 1).contents()


def test_how_much_of_a_package_is_replaced(tmp_path: Path) -> None:
    content = PLACEHOLDER.encode()
    path = build(tmp_path, "tool", {"a": b"1" + content, "b": b"2" + content})
    size = 2 * len(content) + 2
    assert len(opened(path, total=size).contents()) == 4
    assert len(opened(path, total=size - 1).contents()) == 3


def test_the_lists_of_a_package_have_a_limit(
    tmp_path: Path,
) -> None:
    listed = b'{"paths": []}'
    path = tmp_path / "tool-1.0-h_0.conda"
    info, files = {"info/paths.json": listed}, {"a": b"1"}
    for raw in (conda_bytes("a", info, files), bz2.compress(tar_bytes({**info, **files}))):
        path.write_bytes(raw)
        opened(path, listed=len(listed))
        with pytest.raises(SourceError, match="has more than 12 bytes"):
            opened(path, listed=len(listed) - 1)


def test_the_information_of_a_package_has_a_limit(
    tmp_path: Path,
) -> None:
    path = build(tmp_path, "tool", TOOL)
    opened(path, info=10_240)
    with pytest.raises(SourceError, match="its information has more than 10,239 bytes"):
        opened(path, info=10_239)


def zip_bytes(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return raw.getvalue()


ZSTD = zstandard.ZstdCompressor().compress
SOUND = conda_bytes("tool-1.0-h_0", {"info/paths.json": b"{}"}, {"a": b"1"})
DAMAGED = {
    "empty": b"",
    "other": b"\x7fELF",
    "a zip of nothing": zip_bytes({}),
    "no files": zip_bytes({"info-a.tar.zst": ZSTD(tar_bytes({}))}),
    "no information": zip_bytes({"pkg-a.tar.zst": ZSTD(tar_bytes({}))}),
    "no zstd": zip_bytes({"pkg-a.tar.zst": b"x" * 99}),
    "no tar": zip_bytes({"pkg-a.tar.zst": ZSTD(b"x" * 9999)}),
    "cut": SOUND[:-30],
    "cut in its zstd": zip_bytes({"pkg-a.tar.zst": ZSTD(tar_bytes({"a": b"1" * 9999}))[:40]}),
    "packed twice": zip_bytes({"pkg-a.tar.zst": b"x" * 9999}, zipfile.ZIP_BZIP2),
    "bzip2 that is cut": bz2.compress(tar_bytes({"a": b"1"}))[:40],
    "bzip2 of no tar": bz2.compress(b"x" * 9999),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_package_is_a_source_error(tmp_path: Path, name: str) -> None:
    path = tmp_path / "tool-1.0-h_0.conda"
    path.write_bytes(DAMAGED[name])
    with pytest.raises(SourceError, match="not a complete conda package"):
        unpack(path, Rooms(tmp_path / "cache", tmp_path / "cache"))


def described(key: str = "app/tool", **facts: str) -> Conda | None:
    given = {"version": "1.0", "build": "h_0", "subdir": "linux-64", "sha256": "0" * 64}
    given |= {"artifact": "tool-1.0-h_0.conda", "url": "https://example.org/main/linux-64"}
    records = {"app": {"path": "/opt/env"}, key: {**given, **facts}}
    return describe(key, Lock(sections={"conda": records}))


def test_a_record_describes_an_archive() -> None:
    found = described()
    assert found is not None
    assert found.filename == "tool-1.0-h_0.conda"
    assert found.proofs == (f"sha256:{'0' * 64}",)
    assert found.address == "https://example.org/main/linux-64/tool-1.0-h_0.conda"
    assert bytes.fromhex(found.prefix) == b"/opt/env"
    assert str(found) == "conda linux-64/tool-1.0-h_0.conda"
    assert KIND.group("app/tool", {}) == "app/tool"
    old = described(sha256="", md5="1" * 32, artifact="tool-1.0-h_0.tar.bz2")
    assert old is not None
    assert old.proofs == (f"md5:{'1' * 32}",)
    assert old.filename == "tool-1.0-h_0.tar.bz2"


UNUSABLE = {
    "no digest": {"sha256": ""},
    "no hex": {"sha256": "x" * 64},
    "another name": {"artifact": "other-1.0-h_0.conda"},
    "no file": {"artifact": ""},
    "another suffix": {"artifact": "tool-1.0-h_0.zip"},
    "no platform": {"subdir": ""},
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_record_that_says_too_little_describes_none(name: str) -> None:
    assert described(**UNUSABLE[name]) is None


@pytest.mark.parametrize("subdir", ["..", "a/b", "-x"])
def test_a_record_of_no_published_archive_is_ignored(subdir: str) -> None:
    records = {"app": {"path": "/opt"}, "app/tool": {"version": "1.0", "build": "h_0"}}
    records["app/tool"] |= {"subdir": subdir, "sha256": "0" * 64, "artifact": "tool-1.0-h_0.conda"}
    lock = Lock(sections={"conda": records})
    assert artifact_of(Reference("conda", "app/tool", "x"), lock) is None


@pytest.mark.parametrize(
    "url", ["https://user:pw@example.org/a", "file:///srv/a", "https://example.org/a b", "ftp://x"]
)
def test_an_address_that_is_none_is_not_asked(url: str) -> None:
    found = described(url=url)
    assert found is not None
    assert found.address == ""


def test_only_the_file_with_the_digest_is_it(tmp_path: Path) -> None:
    path = build(tmp_path, "tool", TOOL)
    found = artifact(path)
    assert is_locked_file(found, path)
    path.write_bytes(path.read_bytes() + b"\0")
    assert not is_locked_file(found, path)


def test_words_of_another_shape_state_no_archive() -> None:
    good = f"tool 1.0 h_0 linux-64 conda sha256:{'0' * 64} 2f6f7074 "
    assert stated(good) is not None
    assert stated(good.replace("2f6f7074", "opt")) is None
    assert stated(good + "2f 2f") is None
    assert stated(good.replace("sha256:", "sha1:")) is None
    assert stated("") is None


def test_a_list_of_any_shape_has_no_placeholder(tmp_path: Path) -> None:
    odd = json.dumps({"paths": [1, {"_path": 2}, {"prefix_placeholder": ["/old"]}, None]}).encode()
    raw = conda_bytes("tool-1.0-h_0", {"info/paths.json": odd}, dict(PURE))
    path = tmp_path / "tool-1.0-h_0.conda"
    path.write_bytes(raw)
    assert len(opened(path).contents()) == len(PURE)
