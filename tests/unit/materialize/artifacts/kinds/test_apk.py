"""Packages of Alpine are known by the digest of their control, and members by their own."""

from __future__ import annotations

import gzip

import pytest

from envlock.errors import SourceError
from envlock.materialize.artifacts.artifact import Reference, Rooms
from envlock.materialize.artifacts.kinds.apk import KIND, describe, stated, unpack
from envlock.materialize.artifacts.package_digest import LARGEST_CONTROL
from envlock.materialize.artifacts.sources.directory import DirectorySource
from envlock.materialize.artifacts.table import artifact_of
from envlock.materialize.artifacts.verify import digest_of, is_locked_content, is_locked_file
from envlock.model.lock import Lock
from tests.apk_packages import build, segment
from tests.unit.materialize.packages import digest

FILES = {"usr/bin/shop": b"shop\n", "usr/share/a folder/\u00e9": b"x\n", "usr/empty": b""}
SHOP = build("shop", FILES)


def package_of(apk):
    facts = {"version": apk.version, "arch": "x86_64", "source": "shops", "sha1": apk.sha1}
    return describe(apk.name, Lock(sections={"apk": {apk.name: facts}}))


@pytest.mark.parametrize("keys", [0, 1, 2])
def test_members_are_found_with_any_number_of_signatures(tmp_path, keys):
    shop = build("shop", FILES, keys=keys)
    path = tmp_path / "shop.apk"
    path.write_bytes(shop.content)
    assert shop.sha1 == SHOP.sha1, "a signature is no part of what a package is known by"
    assert is_locked_file(package_of(SHOP), path)
    assert is_locked_content(package_of(SHOP), [shop.content[:700], shop.content[700:]])
    found = unpack(path, Rooms(tmp_path / "cache", tmp_path / "cache"))
    contents = {name: sha for name, sha in found.contents().items() if not name.startswith(".")}
    assert contents == {name: digest(content) for name, content in FILES.items()}
    assert b"".join(found.find("usr/bin/shop", digest(b"shop\n"))()) == b"shop\n"


def test_a_changed_package_is_another_one(tmp_path):
    raw, changed = SHOP.content, tmp_path / "changed.apk"
    other = build("shop", {**FILES, "usr/bin/shop": b"evil\n"})
    control = raw.index(SHOP.control)
    files = other.content[other.content.index(other.control) + len(other.control) :]
    ends = control + len(SHOP.control)
    assert raw[ends:] != files
    for content in (
        raw[:ends] + files,
        raw + b"\0",
        raw + files,
        raw[:-1],
        raw[:ends],
        raw[: ends - 9],
        raw[:control] + raw[ends:],
        b"",
        b"ADBd" + bytes(600),
        gzip.compress(b"PK" * 300),
        segment({".PKGINFO": b"pkgname = shop\n"}) + raw[ends:],
    ):
        changed.write_bytes(content)
        assert not is_locked_file(package_of(SHOP), changed)
        assert digest_of(changed, "apk-control") == "apk-control:"
    changed.write_bytes(other.content)
    assert not is_locked_file(package_of(SHOP), changed)
    assert is_locked_file(package_of(other), changed)


def test_signatures_without_end_and_bombs_are_no_package(tmp_path):
    path = tmp_path / "bomb.apk"
    signature = segment({".SIGN.RSA.key.rsa.pub": b"x"})
    for content in (
        signature * 5000 + SHOP.content,
        gzip.compress(b"") * 5000 + SHOP.content,
        gzip.compress(bytes(LARGEST_CONTROL + 512), 1),
    ):
        path.write_bytes(content)
        assert digest_of(path, "apk-control") == "apk-control:"


def test_a_control_of_the_largest_size_and_above(tmp_path):
    path = tmp_path / "large.apk"
    for more, is_there in ((0, True), (512, False)):
        room = LARGEST_CONTROL - 4096 + more
        info = b"datahash = " + digest(b"").encode() + b"\n"
        content = segment({".PKGINFO": info.ljust(room - room % 512, b"#")})
        size = len(gzip.decompress(content))
        spare = LARGEST_CONTROL - size
        if is_there:
            info = info.ljust(room - room % 512 + spare, b"#")
        else:
            info = info.ljust(room - room % 512 + spare + 512, b"#")
        path.write_bytes(segment({".PKGINFO": info}))
        found = digest_of(path, "apk-control")
        assert (found != "apk-control:") is is_there


def test_a_package_is_found_whatever_it_is_called(tmp_path):
    package = package_of(SHOP)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/a.download").write_bytes(SHOP.content)
    source = DirectorySource(name="x", path=tmp_path / "folder")
    assert source.fetch([package], tmp_path, pytest.fail) == {
        package: tmp_path / "folder/a.download"
    }
    assert package.filename == "shop-1.2-r0.apk"
    assert package.is_named(f"shop-1.2-r0.{SHOP.sha1[:8]}.apk")
    assert not package.is_named("shop-1.2-r0.00000000.apk")


@pytest.mark.parametrize("content", [b"", b"x" * 1000, b"ADBd" + bytes(600)])
def test_what_is_no_package_is_said_to_be_damaged(tmp_path, content):
    path = tmp_path / "shop.apk"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"not a complete package of apk"):
        unpack(path, Rooms(tmp_path / "cache", tmp_path / "cache"))


@pytest.mark.parametrize(
    "facts", [{"sha1": ""}, {"sha1": "a" * 64}, {"version": ""}, {"arch": "../x"}]
)
def test_a_record_that_does_not_suffice_names_no_package(facts):
    known = {"version": "1-r1", "arch": "x86_64", "sha1": SHOP.sha1, **facts}
    lock = Lock(sections={"apk": {"shop": known}})
    assert artifact_of(Reference("apk", "shop", "usr/x"), lock) is None


def test_a_claim_names_the_package_that_a_record_describes():
    described = package_of(SHOP)
    assert stated(f"shop 1.2-r0 x86_64 {SHOP.sha1}") == described._replace(source="shop")
    assert stated("shop 1.2-r0 x86_64") is None
    assert KIND.group("shop", {"source": "shops"}) == "shops"
