"""Package files in a directory are found by their names, then by their content."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import pytest

from envlock.materialize.artifacts.kinds.deb import Deb
from envlock.materialize.artifacts.kinds.npm import NpmPackage
from envlock.materialize.artifacts.kinds.wheel import Wheel
from envlock.materialize.artifacts.sources.cache import CacheSource
from envlock.materialize.artifacts.sources.directory import DirectorySource
from envlock.materialize.vendor import keep_file
from tests.unit.materialize.packages import COMPRESSIONS, deb_bytes, digest, write_wheel

CONTROL = {"Package": "lib", "Version": "1:2", "Architecture": "amd64"}
DEB = Deb("lib", "1:2", "amd64", "lib")
ANY = Wheel("a", "1", "a-1-py2.py3-none-any.whl", "3")
NATIVE = Wheel("b", "1", "b-1-cp311-cp311-linux_x86_64.whl", "3.11")


def found(path, *wanted):
    source = DirectorySource(name="here", path=path)
    return source.fetch(wanted, path / "not-used", print)


def test_each_file_under_its_own_name(tmp_path):
    names = ("lib_1%3a2_amd64.deb", "a-1-py2.py3-none-any.whl")
    for name in (*names, "other.whl"):
        (tmp_path / name).touch()
    assert found(tmp_path, DEB, ANY, NATIVE) == {
        DEB: tmp_path / names[0],
        ANY: tmp_path / names[1],
    }
    assert len(list(tmp_path.iterdir())) == 3


def test_a_wheel_with_its_tags_in_another_order(tmp_path):
    (tmp_path / "A-1-py3.py2-none-any.whl").touch()
    assert found(tmp_path, DEB, ANY) == {ANY: tmp_path / "A-1-py3.py2-none-any.whl"}
    (tmp_path / ANY.filename).touch()
    assert found(tmp_path, ANY) == {ANY: tmp_path / ANY.filename}


def test_a_directory_with_the_name_of_a_package_is_none(tmp_path):
    (tmp_path / DEB.filename).mkdir()
    (tmp_path / "a-1-py3.py2-none-any.whl").mkdir()
    assert found(tmp_path, DEB, ANY) == {}


def test_without_the_directory_nothing_is_found(tmp_path):
    assert found(tmp_path / "missing", DEB, ANY) == {}


TOOL = {"Package": "tool", "Version": "1:2", "Architecture": "amd64"}
BUILT = Deb("tool", "1:2", "amd64", "tool")


def test_a_renamed_package_is_found_by_what_it_says_it_is(tmp_path):
    nested = tmp_path / "deeper"
    nested.mkdir()
    (nested / "0123abcd").write_bytes(deb_bytes({"./x": b"x"}, control=TOOL))
    (nested / "other").write_bytes(deb_bytes({"./x": b"x"}, control=TOOL | {"Version": "3"}))
    write_wheel(nested / "file.body", {"a.py": b""}, tags=("py2-none-any", "py3-none-any"))
    assert found(tmp_path, BUILT, ANY, NATIVE) == {
        BUILT: nested / "0123abcd",
        ANY: nested / "file.body",
    }


def test_a_file_with_the_right_name_and_another_digest_does_not_hide_the_right_one(tmp_path):
    raw = deb_bytes({"./x": b"x"}, control=TOOL)
    locked = BUILT._replace(sha256=digest(raw))
    (tmp_path / BUILT.filename).write_bytes(deb_bytes({"./x": b"other"}, control=TOOL))
    (tmp_path / "renamed").write_bytes(raw)
    said = []
    source = DirectorySource(name="here", path=tmp_path)
    assert source.fetch([locked], tmp_path, said.append) == {locked: tmp_path / "renamed"}
    assert said == ["tool_1%3a2_amd64.deb is another file than the locked one"]


def test_a_file_of_an_unknown_kind_is_found_by_its_digest(tmp_path):
    (tmp_path / "renamed").write_bytes(b"of a kind that says nothing")
    locked = DEB._replace(sha256=digest(b"of a kind that says nothing"))
    assert found(tmp_path, locked) == {locked: tmp_path / "renamed"}
    assert found(tmp_path, DEB) == {}


@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_a_damaged_package_is_told_and_hides_no_other(tmp_path, suffix):
    raw = deb_bytes({"./x": b"x"}, suffix=suffix, control=TOOL)
    (tmp_path / "a-damaged.deb").write_bytes(raw[:130].ljust(len(raw), b"x"))
    (tmp_path / "a-damaged.whl").write_bytes(b"PK\x03\x04")
    (tmp_path / "b").write_bytes(raw)
    (tmp_path / "c.txt").write_bytes(b"notes")
    for wanted in (BUILT, BUILT._replace(sha256=digest(raw))):
        said = []
        source = DirectorySource(name="here", path=tmp_path)
        assert source.fetch([wanted], tmp_path, said.append) == {wanted: tmp_path / "b"}
        assert said == [
            "a-damaged.deb is damaged, or no package at all",
            "a-damaged.whl is damaged, or no package at all",
        ]


def test_two_files_of_one_name_are_found_by_their_digests(tmp_path):
    contents = (b"one", b"two", b"three")
    wanted = [DEB._replace(sha256=digest(content)) for content in contents]
    keep_file(tmp_path, DEB.filename, digest(b"one"), [b"one"])
    keep_file(tmp_path, DEB.filename, digest(b"two"), [b"two"])
    said = []
    source = DirectorySource(name="here", path=tmp_path)
    got = source.fetch(wanted, tmp_path, said.append)
    assert {each: path.read_bytes() for each, path in got.items()} == {
        wanted[0]: b"one",
        wanted[1]: b"two",
    }
    assert {line.partition(" is ")[2] for line in said} == {"another file than the locked one"}


KINDS = [
    Deb("g++-12", "1:12.2.0+b1~bpo", "amd64", "gcc", digest(b"locked")),
    Wheel("a", "1", "a-1+cu118-py2.py3-none-any.whl", "3", digest(b"locked")),
    NpmPackage("s-c", "core", "1.0.0+x", f"sha512:{hashlib.sha512(b'locked').hexdigest()}"),
]


@pytest.mark.parametrize("artifact", KINDS, ids=lambda each: each.scheme)
def test_what_a_shipment_brought_is_found_under_the_name_that_it_got(tmp_path, artifact):
    """The second file of a name too, whatever digest the lock states of it."""
    keep_file(tmp_path, artifact.filename, digest(b"other"), [b"other"])
    keep_file(tmp_path, artifact.filename, digest(b"locked"), [b"locked"])
    got = CacheSource(path=tmp_path).fetch([artifact], tmp_path, print)
    assert got[artifact].read_bytes() == b"locked"


def test_links_are_not_followed_and_pipes_not_opened(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(tmp_path / "pipe")
    locked = DEB._replace(sha256=digest(b""))
    assert found(tmp_path, locked) == {}


def test_more_files_than_the_limit_are_said_not_to_be_searched(tmp_path):
    for number in range(3):
        (tmp_path / str(number)).write_bytes(b"%d" % number)
    first, last = (DEB._replace(sha256=digest(raw)) for raw in (b"0", b"2"))
    said = []
    source = DirectorySource(name="here", path=tmp_path, most=2)
    assert source.fetch([first, last], tmp_path, said.append) == {first: tmp_path / "0"}
    assert said == ["only the first 2 files were searched"]


def test_what_cannot_be_read_is_passed_over():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        for parent in (folder, folder / "closed", folder / "open"):
            parent.mkdir(exist_ok=True)
        (folder / "closed/a").write_bytes(deb_bytes({"./x": b"other"}))
        (folder / "open/b").write_bytes(deb_bytes({"./x": b"x"}, control=CONTROL))
        (folder / "closed").chmod(0)
        me = os.geteuid()
        if not me:
            os.seteuid(65534)
        try:
            assert found(folder, DEB) == {DEB: folder / "open/b"}
        finally:
            os.seteuid(me)
            (folder / "closed").chmod(0o700)
