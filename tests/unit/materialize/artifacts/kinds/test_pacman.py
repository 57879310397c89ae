"""Packages of Arch are known by the digest of their list of files, and members by their own."""

from __future__ import annotations

import gzip
import hashlib
import io
import subprocess
import tarfile

import pytest

from envlock.errors import SourceError
from envlock.formats.pacman import LARGEST_MTREE, decompress_mtree
from envlock.materialize.artifacts.artifact import Reference, Rooms
from envlock.materialize.artifacts.kinds.pacman import KIND, describe, stated, unpack
from envlock.materialize.artifacts.sources.directory import DirectorySource
from envlock.materialize.artifacts.table import artifact_of
from envlock.materialize.artifacts.verify import digest_of, is_locked_content, is_locked_file
from envlock.model.lock import Lock
from tests.pacman_packages import build_package, require_pacman
from tests.unit.materialize.packages import COMPRESSIONS, digest

FILES = {"usr/bin/shop": b"shop\n", "usr/share/a folder/\u00e9": b"x\n", "usr/share/empty": b""}
SHA = "0123456789abcdef" * 4


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    require_pacman()
    return build_package(tmp_path_factory.mktemp("arch"), "shop", FILES)


def package_of(path):
    """Return what a record of the installed package describes, by the list as bsdtar has it."""
    argv = ["bsdtar", "-xOf", "-", ".MTREE"]
    raw = subprocess.run(argv, check=True, input=path.read_bytes(), capture_output=True).stdout
    facts = {"version": "1:1.0-2", "arch": "x86_64", "source": "shop", "mtree": digest(raw)}
    return describe("shop", Lock(sections={"pacman": {"shop": facts}}))


@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_members_are_found_in_every_compression(tmp_path, suffix):
    require_pacman()
    path = build_package(tmp_path, "shop", FILES, suffix=suffix)
    found = unpack(path, Rooms(tmp_path / "cache", tmp_path / "cache"))
    contents = dict(found.contents())
    assert contents.pop(".MTREE") == package_of(path).mtree
    assert {contents.pop(name) for name in (".PKGINFO", ".INSTALL")}
    names = {**FILES, "usr/bin/shop.hard": b"shop\n"}
    assert contents == {name: digest(content) for name, content in names.items()}
    assert b"".join(found.find("usr/bin/shop", digest(b"shop\n"))()) == b"shop\n"
    assert is_locked_file(package_of(path), path)
    assert package_of(path).is_named(path.name)


def test_a_package_is_found_whatever_it_is_called(shop, tmp_path):
    package = package_of(shop)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/a.download").write_bytes(b"\x1f\x8bnothing")
    (tmp_path / "folder/b.download").write_bytes(shop.read_bytes())
    source = DirectorySource(name="x", path=tmp_path / "folder")
    assert source.fetch([package], tmp_path, pytest.fail) == {
        package: tmp_path / "folder/b.download"
    }
    pieces = [shop.read_bytes()[:1000], shop.read_bytes()[1000:]]
    assert is_locked_content(package, pieces)


def test_a_package_in_which_a_file_changed_is_another_one(tmp_path):
    require_pacman()
    path = build_package(tmp_path, "shop", FILES, suffix="")
    package, raw = package_of(path), path.read_bytes()
    assert is_locked_file(package, path)
    changed = tmp_path / "changed"
    for old, new in (
        (b"shop\n", b"evil\n"),
        (b"true\n", b"evil\n"),  # of the script that pacman runs
        (b"usr/bin/shop\0", b"usr/bin/evil\0"),
    ):
        changed.write_bytes(_tar_with(raw, old, new))
        assert not is_locked_file(package, changed)
    for content in (b"", raw[:700], raw[: len(raw) // 2], raw[512:], gzip.compress(b"PK" * 200)):
        changed.write_bytes(content)
        assert not is_locked_file(package, changed)
        assert digest_of(changed, "pacman-mtree") == "pacman-mtree:"


def _tar_with(raw, old, new):
    """Return a tar in which names and contents are replaced, with sums of its headers mended."""
    found = bytearray(raw.replace(old, new))
    for at in range(0, len(found), 512):
        if found[at + 257 : at + 262] == b"ustar":
            found[at + 148 : at + 156] = b" " * 8
            found[at + 148 : at + 156] = b"%06o\0 " % sum(found[at : at + 512])
    return bytes(found)


def test_a_file_that_the_list_does_not_have_makes_another_package(tmp_path):
    require_pacman()
    path = build_package(tmp_path, "shop", FILES, suffix="")
    package = package_of(path)
    with tarfile.open(path, "a") as archive:
        info = tarfile.TarInfo("../../etc/cron.d/evil")
        info.size = 1
        archive.addfile(info, io.BytesIO(b"x"))
    assert not is_locked_file(package, path)
    rooms = Rooms(tmp_path / "cache", tmp_path / "cache")
    assert "../../etc/cron.d/evil" in unpack(path, rooms).contents()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["cache", path.name], (
        "a name is only a name: nothing is unpacked to it"
    )


@pytest.mark.parametrize("content", [b"", b"x" * 1000, b"\x28\xb5\x2f\xfd" + b"x" * 100])
def test_what_is_no_package_is_said_to_be_damaged(tmp_path, content):
    path = tmp_path / "shop.pkg.tar.zst"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"not a complete package of pacman"):
        unpack(path, Rooms(tmp_path / "cache", tmp_path / "cache"))


def test_a_list_of_the_largest_size_and_above():
    raw = gzip.compress(bytes(LARGEST_MTREE - 1), 1)
    assert len(decompress_mtree(raw)) == LARGEST_MTREE - 1
    with pytest.raises(ValueError, match="too large"):
        decompress_mtree(gzip.compress(bytes(LARGEST_MTREE + 1), 1))


@pytest.mark.parametrize(
    "facts", [{"mtree": ""}, {"mtree": SHA[1:]}, {"version": ""}, {"arch": ""}, {"arch": "../x"}]
)
def test_a_record_that_does_not_suffice_names_no_package(facts):
    known = {"version": "1-1", "arch": "any", "mtree": SHA, **facts}
    lock = Lock(sections={"pacman": {"shop": known}})
    assert artifact_of(Reference("pacman", "shop", "usr/x"), lock) is None


def test_a_claim_names_the_package_that_a_record_describes():
    facts = {"version": "1:2-3", "arch": "any", "source": "shops", "mtree": SHA}
    described = describe("shop", Lock(sections={"pacman": {"shop": facts}}))
    assert stated(f"shop 1:2-3 any {SHA}") == described._replace(source="shop")
    assert stated("shop 1:2-3 any") is None
    assert described.filename == "shop-1:2-3-any.pkg.tar.zst"
    assert described.is_named("shop-1%3A2-3-any.pkg.tar.xz")
    assert not described.is_named("shop-1:2-3-any.pkg.tar.zst.sig")
    assert KIND.group("shop", facts) == "shops"
    assert hashlib.sha256().name not in described.proofs[0]
