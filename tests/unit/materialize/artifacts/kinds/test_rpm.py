"""Packages of rpm are known by the digest of their header, and members found by their own."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess

import pytest

from envlock.errors import SourceError
from envlock.formats.rpm import package_file
from envlock.formats.rpm.package_file import extent_of
from envlock.materialize.artifacts.artifact import Reference, Rooms
from envlock.materialize.artifacts.identify import published_name
from envlock.materialize.artifacts.kinds.rpm import (
    KIND,
    describe,
    index_cpio,
    read_cpio,
    stated,
    unpack,
)
from envlock.materialize.artifacts.table import artifact_of
from envlock.materialize.artifacts.verify import digest_of, is_locked_content, is_locked_file
from envlock.model.lock import Lock
from tests.conftest import unavailable
from tests.packages import build_rpm
from tests.unit.materialize.packages import digest

SHA = "0123456789abcdef" * 4
PAYLOADS = {
    "gzip": "w9.gzdio",
    "bzip2": "w9.bzdio",
    "xz": "w6.xzdio",
    "lzma": "w6.lzdio",
    "zstd": "w3.zstdio",
    "none": "w.ufdio",
}
SPEC = """\
Name: links
Version: 1
Release: 1
Summary: names of one file
License: MIT
%description
links
%install
mkdir -p %{buildroot}/usr/share/links
echo content > %{buildroot}/usr/share/links/a
ln %{buildroot}/usr/share/links/a %{buildroot}/usr/share/links/b
ln %{buildroot}/usr/share/links/a %{buildroot}/usr/share/links/c
touch "%{buildroot}/usr/share/links/an empty file"
ln -s a %{buildroot}/usr/share/links/link
%files
/usr/share/links
"""


@pytest.fixture
def shop(rpms):
    return next(path for path in rpms if path.name.startswith("shop"))


def described(key, **facts):
    return describe(key, Lock(sections={"rpm": {key: {"version": "1-1", "sha256": SHA, **facts}}}))


def header_of(path):
    """Return the digest of the header as rpm tells it."""
    argv = ["rpm", "-qp", "--nosignature", "--qf", "%{SHA256HEADER}", str(path)]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_members_are_found_in_every_compression(rpms, tmp_path, payload):
    (built,) = build_rpm(tmp_path, SPEC, _binary_payload=payload)
    package = unpack(built, Rooms(tmp_path / "cache", tmp_path / "cache"))
    content = digest(b"content\n")
    assert package.contents() == {
        "usr/share/links/a": content,
        "usr/share/links/b": content,
        "usr/share/links/c": content,
        "usr/share/links/an empty file": digest(b""),
    }
    assert b"".join(package.find("usr/share/links/a", content)()) == b"content\n"
    assert package.find("usr/share/links/a", digest(b"other")) is None
    assert digest_of(built, "rpm-header") == f"rpm-header:{header_of(built)}"
    assert published_name(built) == built.name


def test_files_agree_with_the_database_of_rpm(shop, tmp_path):
    argv = ["rpm", "-qp", "--nosignature", "--qf", "[%{FILENAMES}\t%{FILEDIGESTS}\n]", str(shop)]
    shown = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    rows = [line.split("\t") for line in shown.splitlines()]
    stated_files = {path.lstrip("/"): sha256 for path, sha256 in rows if sha256}
    assert unpack(shop, Rooms(tmp_path / "cache", tmp_path / "cache")).contents() == stated_files


def test_a_package_that_was_signed_again_is_the_same(shop, tmp_path):
    raw = shop.read_bytes()
    empty = bytes.fromhex("8eade80100000000") + struct.pack(">2I", 0, 0)
    again = tmp_path / "again.rpm"
    again.write_bytes(raw[:96] + empty + raw[extent_of(raw).start :])
    package = described("shop.x86_64", version="2:1.2.3-4", sha256=header_of(shop))
    assert is_locked_file(package, shop)
    assert is_locked_file(package, again)
    assert is_locked_content(package, [raw[:1000], raw[1000:]])
    assert published_name(again) == "shop-1.2.3-4.x86_64.rpm"
    assert (
        unpack(again, Rooms(tmp_path / "1", tmp_path / "1")).contents()
        == unpack(shop, Rooms(tmp_path / "2", tmp_path / "2")).contents()
    )


def test_a_changed_package_is_another_one(shop, tmp_path):
    raw = shop.read_bytes()
    start, end = extent_of(raw)
    package = described("shop.x86_64", version="2:1.2.3-4", sha256=header_of(shop))
    changed = tmp_path / "changed.rpm"
    for at in (start + 40, end - 1, end + 60, len(raw) - 1):
        changed.write_bytes(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
        assert not is_locked_file(package, changed)
    for content in (b"", raw[:5], raw[:end], raw + b"\0", b"PK" * 200):
        changed.write_bytes(content)
        assert not is_locked_file(package, changed)


def test_a_damaged_package_is_a_source_error(shop, tmp_path):
    raw, path = shop.read_bytes(), tmp_path / "a.rpm"
    end = extent_of(raw).end
    for content in (
        b"",
        b"PK",
        raw[:200],
        raw[:-20],
        raw[:end],
        raw[:end] + b"nothing known",
        raw[:end] + b"070701" + b"g" * 104,
        raw[:end] + b"07070X" + b"0" * 104,
    ):
        path.write_bytes(content)
        with pytest.raises(SourceError, match="not a complete rpm package"):
            unpack(path, Rooms(tmp_path / "cache", tmp_path / "cache"))
        assert not published_name(path) or content.startswith(raw[:end])


def test_names_of_a_cpio_archive_lead_nowhere(tmp_path):
    """A name is only what a member is asked for by: nothing is written under it."""

    def entry(name, content, mode=0o100644, links=1):
        fields = (1, mode, 0, 0, links, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
        head = b"070701" + b"".join(b"%08x" % field for field in fields) + name + b"\0"
        return head + b"\0" * (-len(head) % 4) + content + b"\0" * (-len(content) % 4)

    data = tmp_path / "a.cpio"
    archive = [entry(b"../../etc/passwd", b"x"), entry(b"/abs", b"y"), entry(b"d", b"", 0o40755)]
    data.write_bytes(b"".join(archive) + entry(b"TRAILER!!!", b""))
    assert {name: found.size for name, found in index_cpio(data).items()} == {
        "../../etc/passwd": 1,
        "abs": 1,
    }
    data.write_bytes(b"".join(archive))
    with pytest.raises(EOFError):
        index_cpio(data)


def test_members_of_an_rpm(shop, tmp_path):
    package = unpack(shop, Rooms(tmp_path / "cache", tmp_path / "cache"))
    (data,) = (tmp_path / "cache").glob("*.tar")
    assert index_cpio(data, most=100) == package.members
    with pytest.raises(ValueError, match="more than 5 members"):
        index_cpio(data, most=5)


def test_a_header_at_the_limit_and_above():
    def beginning(size):
        lead = b"\xed\xab\xee\xdb".ljust(96, b"\0")
        intro = bytes.fromhex("8eade80100000000")
        return lead + intro + struct.pack(">2I", 0, 0) + intro + struct.pack(">2I", 0, size)

    assert extent_of(beginning(package_file.LARGEST_HEADER)) is None, "more of it is needed"
    with pytest.raises(ValueError, match="too large"):
        extent_of(beginning(package_file.LARGEST_HEADER + 1))


def test_a_record_describes_a_package():
    found = described("shop.x86_64", version="2:1.2.3-4", source="shop-suite")
    assert (found.name, found.version, found.arch) == ("shop", "2:1.2.3-4", "x86_64")
    assert found.filename == "shop-1.2.3-4.x86_64.rpm"
    assert found.proofs == (f"rpm-header:{SHA}",)
    assert str(found) == "rpm shop.x86_64 2:1.2.3-4"
    several = described("kernel-core-5.14.1-1.x86_64", version="5.14.1-1")
    assert (several.name, several.filename) == ("kernel-core", "kernel-core-5.14.1-1.x86_64.rpm")
    assert stated(f"kernel-core 5.14.1-1 x86_64 {SHA}") == several
    assert KIND.group("shop.x86_64", {"source": "shop-suite"}) == "shop-suite"
    assert KIND.group("shop.x86_64", {}) == "shop.x86_64"
    odd = Lock(sections={"rpm": {"a.x86_64": {"version": "1^git2~rc1-1", "sha256": SHA}}})
    assert artifact_of(Reference("rpm", "a.x86_64", "usr/bin/a"), odd) is not None


def test_a_record_without_the_digest_of_its_header_describes_none():
    assert described("shop.x86_64", sha256="") is None
    assert described("shop.x86_64", sha256=SHA[:-1]) is None
    assert described("shop.x86_64", version="") is None
    assert described("shop") is None
    for words in ("", "shop 1-1 x86_64", f"shop 1-1 x86_64 {SHA} more", "shop 1-1 x86_64 x"):
        assert stated(words) is None


def test_signing_changes_the_file_and_not_the_package(shop, tmp_path, monkeypatch):
    if not (shutil.which("rpmsign") and shutil.which("gpg")):
        unavailable("rpm", "gpg or rpmsign is not here")
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("GNUPGHOME", str(home))
    words = ("--batch", "--quiet", "--passphrase", "", "--quick-gen-key", "shop@example.org")
    subprocess.run(["gpg", *words], check=True, capture_output=True)
    signed = shutil.copy(shop, tmp_path / "signed.rpm")
    names = ("-D", "_gpg_name shop@example.org", "-D", f"__gpg {shutil.which('gpg')}")
    subprocess.run(["rpmsign", "--addsign", *names, signed], check=True, capture_output=True)
    subprocess.run(["gpgconf", "--kill", "gpg-agent"], check=True)
    shutil.rmtree(home)
    assert signed.read_bytes() != shop.read_bytes()
    assert digest_of(signed, "rpm-header") == digest_of(shop, "rpm-header")


def entry_of(name, content=b"", inode=1, links=1):
    """Return a member of a cpio archive (cpio(5), new ASCII format)."""
    numbers = (inode, 0o100644, 0, 0, links, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08X" % number for number in numbers) + name.encode() + b"\0"
    return head + bytes(-len(head) % 4) + content + bytes(-len(content) % 4)


def test_names_of_one_file_in_a_cpio_have_the_content_of_the_last():
    archive = (
        entry_of("a", inode=1, links=2)
        + entry_of("other", inode=2, links=2)
        + entry_of("b", b"content", inode=1, links=2)
        + entry_of("another", inode=2, links=2)
        + entry_of("TRAILER!!!")
    )
    found = {name: member.sha256 for name, member in read_cpio(io.BytesIO(archive)).items()}
    content, nothing = digest(b"content"), digest(b"")
    assert found == {"a": content, "b": content, "other": nothing, "another": nothing}
