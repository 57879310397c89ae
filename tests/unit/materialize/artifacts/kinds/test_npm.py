"""npm packages are described by the digest of their tarball, and members found by their own."""

from __future__ import annotations

import gzip

import pytest

from envlock.errors import SourceError
from envlock.materialize.artifacts.artifact import Reference, Rooms
from envlock.materialize.artifacts.kinds.npm import KIND, describe, stated, unpack
from envlock.materialize.artifacts.table import artifact_of
from envlock.materialize.artifacts.verify import is_locked_content, is_locked_file
from envlock.model.lock import Lock
from tests.unit.materialize.packages import digest, integrity, tar_bytes, tgz_bytes

FILES = {"package.json": b"{}", "lib/index.js": b"module.exports = 1\n"}
SHA = "sha512-" + "A" * 86 + "=="


@pytest.fixture
def write(tmp_path):
    def write(raw):
        path = tmp_path / "a.tgz"
        path.write_bytes(raw)
        return path

    return write


def described(key, **facts):
    return describe(key, Lock(sections={"npm": {key: {"version": "1.0.0", **facts}}}))


def test_members_are_found_below_the_first_component_whatever_it_is(write, tmp_path):
    raw = gzip.compress(tar_bytes({"x-1.0/a.js": b"1", "./y/b.js": b"2", "z/c/d": b"3"}))
    package = unpack(write(raw), Rooms(tmp_path / "cache", tmp_path / "cache"))
    assert package.contents() == {
        "a.js": digest(b"1"),
        "b.js": digest(b"2"),
        "c/d": digest(b"3"),
    }
    assert b"".join(package.find("a.js", digest(b"1"))()) == b"1"
    assert b"".join(package.find("elsewhere", digest(b"3"))()) == b"3"
    assert package.find("a.js", digest(b"other")) is None


DAMAGED = {
    "empty": b"",
    "other": b"PK",
    "cut": tgz_bytes(FILES)[:60],
    "no tar": gzip.compress(b"no tar" * 99),
}


@pytest.mark.parametrize("raw", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_tarball_is_a_source_error(write, tmp_path, raw):
    path = write(raw)
    with pytest.raises(SourceError, match="not a complete npm package"):
        unpack(path, Rooms(tmp_path / "cache", tmp_path / "cache"))


def test_the_file_must_have_the_digest_of_the_lockfile(write):
    raw = tgz_bytes(FILES)
    package = described("app/express", integrity=integrity(raw))
    assert is_locked_file(package, write(raw))
    assert not is_locked_file(package, write(raw + b"\0"))
    assert is_locked_content(package, [raw[:5], raw[5:]])
    assert not is_locked_content(package, [raw, b"\0"])


def test_a_record_describes_a_package():
    found = described("app/a/node_modules/@x/b", integrity=f"sha1-{'A' * 27}= {SHA}")
    assert (found.full_name, found.version, found.filename) == ("@x/b", "1.0.0", "x-b-1.0.0.tgz")
    assert found.proofs == (f"sha512:{'0' * 128}",)
    assert str(found) == "npm @x/b@1.0.0"
    assert described("app/b@1.0.0", integrity=SHA).full_name == "b"
    assert described("app/alias", name="real", integrity=SHA).full_name == "real"
    assert stated(f"@x/b 1.0.0 {SHA}") == found
    assert KIND.group("app/b", {}) == "app/b"


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"integrity": "sha512-AAAA"},
        {"integrity": "md5-AAAAAAAAAAAAAAAAAAAAAA=="},
        {"integrity": SHA, "origin": "git+ssh://git@example.org/x.git"},
        {"integrity": SHA, "editable": "true"},
        {"integrity": SHA, "version": "file:x"},
        {"integrity": SHA, "version": "1.0.0 --ignore"},
        {"integrity": SHA, "name": "--pre"},
        {"integrity": SHA, "name": "@x/y/z"},
        {"integrity": SHA, "name": "@/y"},
        {"integrity": SHA, "name": "x/y"},
        {"integrity": SHA, "name": "../x"},
    ],
)
def test_other_records_describe_none(facts):
    assert described("app/b", **facts) is None
    lock = Lock(sections={"npm": {"app/b": {"version": "1.0.0", **facts}}})
    assert artifact_of(Reference("npm", "app/b", "x"), lock) is None
