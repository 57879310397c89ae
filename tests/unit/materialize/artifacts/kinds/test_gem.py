"""Gems are described by name, version and platform, and members found by their digest."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from envlock.errors import SourceError
from envlock.formats.ruby import Gem as Installed
from envlock.formats.ruby import parse_lockfile, parse_metadata, parse_sources
from envlock.materialize.artifacts.artifact import Reference, Rooms
from envlock.materialize.artifacts.identify import published_name
from envlock.materialize.artifacts.kinds.gem import KIND, Gem, describe, stated, unpack
from envlock.materialize.artifacts.sources.gem import caches
from envlock.materialize.artifacts.table import artifact_of
from envlock.materialize.artifacts.verify import is_locked_file, sha256_of
from envlock.model.lock import Lock
from tests import gem_packages
from tests.unit.materialize.packages import digest, tar_bytes

URL = "https://gems.example.org"


def test_the_members_of_a_gem_that_rubygems_built(tmp_path: Path) -> None:
    path = gem_packages.build(tmp_path, "plain", gem_packages.PLAIN)
    gem = unpack(path, Rooms(tmp_path / "tables", tmp_path / "tars"))
    files = {name: content.encode() for name, content in gem_packages.PLAIN.items()}
    assert dict(gem.contents()) == {name: digest(content) for name, content in files.items()}
    for name, content in files.items():
        reader = gem.find(name, digest(content))
        assert reader is not None
        assert b"".join(reader()) == content
    assert gem.find("lib/plain.rb", digest(b"other")) is None
    renamed = path.rename(tmp_path / "download")
    assert published_name(renamed) == "plain-1.0.0.gem"


DAMAGED = {
    "empty": b"",
    "no tar": b"x" * 3000,
    "no files": tar_bytes({"metadata.gz": gzip.compress(b"")}),
    "no gzip": tar_bytes({"data.tar.gz": b"x" * 99}),
    "no tar inside": tar_bytes({"data.tar.gz": gzip.compress(b"x" * 3000)}),
    "cut": tar_bytes({"data.tar.gz": gzip.compress(tar_bytes({"a": b"1" * 9999}))[:50]}),
    "ends early": tar_bytes({"data.tar.gz": b"1" * 9999})[:700],
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_gem_is_a_source_error(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a-1.gem"
    path.write_bytes(DAMAGED[name])
    with pytest.raises(SourceError, match="not a complete gem"):
        unpack(path, Rooms(tmp_path / "cache", tmp_path / "cache"))
    assert published_name(path) == ""


def described(key: str, facts: dict[str, str], url: str = URL) -> Gem | None:
    home = key.partition("/")[0]
    return describe(key, Lock(sections={"gem": {home: {"url": url}, key: facts}}))


def test_a_record_describes_a_package() -> None:
    facts = {"version": "1.15.4", "platform": "x86_64-linux", "sha256": "0" * 64}
    for key in ("app/nokogiri", "app/nokogiri@1.15.4", "app/nokogiri@1.15.4/x86_64-linux"):
        found = described(key, facts, f"{URL} https://other.example.org/a")
        assert found is not None
        assert found.filename == "nokogiri-1.15.4-x86_64-linux.gem"
        assert found.proofs == (f"sha256:{'0' * 64}",)
        assert found.addresses == (
            f"{URL}/gems/{found.filename}",
            f"https://other.example.org/a/gems/{found.filename}",
        )
    plain = described("app/rack", {"version": "3.0"}, "ftp://x https://user:pw@example.org")
    assert plain is not None
    assert (plain.filename, plain.proofs, plain.addresses) == ("rack-3.0.gem", (), ())
    assert str(plain) == "gem rack-3.0"
    assert stated(f"rack 3.0 - - {URL.encode().hex()}") == Gem(
        "rack", "3.0", "", "", URL.encode().hex()
    )
    assert KIND.group("app/rack", {}) == "app/rack"


UNUSABLE = {
    "of git": {"origin": "git", "revision": "abc"},
    "of Ruby itself": {"version": "1.0", "default": "true"},
    "no version": {},
    "no digest": {"version": "1.0", "sha256": "x" * 64},
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_what_no_server_has_describes_none(name: str) -> None:
    assert described("app/rack", UNUSABLE[name]) is None


def test_a_record_of_no_published_gem_is_ignored() -> None:
    for facts in ({"version": "../x"}, {"version": "1", "platform": "a b"}):
        lock = Lock(sections={"gem": {"app/rack": facts}})
        assert artifact_of(Reference("gem", "app/rack", "x"), lock) is None
    assert stated("rack 3.0 - -") is None
    assert stated("rack 3.0 - - xyz") is None


def test_the_digest_of_a_lockfile_counts(tmp_path: Path) -> None:
    path = gem_packages.build(tmp_path, "plain", gem_packages.PLAIN)
    right = stated(f"plain 1.0.0 - {sha256_of(path)} -")
    wrong = stated(f"plain 1.0.0 - {'0' * 64} -")
    assert right is not None
    assert wrong is not None
    assert is_locked_file(right, path)
    assert not is_locked_file(wrong, path)


def test_caches_of_this_machine(tmp_path: Path) -> None:
    home, root = tmp_path / "home", tmp_path / "root"
    for folder in (home / ".gem/ruby/3.1.0/cache", root / "var/lib/gems/3.1.0/cache"):
        folder.mkdir(parents=True)
    found = [source.name for source in caches(root, {"HOME": str(home), "GEM_HOME": "/none"})]
    assert found == [
        f"{home}/.gem/ruby/3.1.0/cache",
        f"{root}/var/lib/gems/3.1.0/cache",
    ]


def test_what_a_lockfile_says_of_servers_and_digests() -> None:
    text = (
        f"GEM\n  remote: {URL}/\n  remote: https://b.example.org/x\n  specs:\n    a (1.0-java)\n"
        f"\nCHECKSUMS\n  a (1.0-java) sha256={'1' * 64}\n  b (2) sha512=xx\n  c (3)\n"
    )
    lock = parse_lockfile(text)
    assert lock is not None
    assert lock.servers == (f"{URL}/", "https://b.example.org/x")
    assert dict(lock.checksums) == {"a-1.0-java": "1" * 64}


def test_what_settings_and_metadata_say() -> None:
    assert parse_sources(f"---\n:sources:\n  - {URL}\n- '{URL}/b'\n:x:\n- https://x\n") == (
        URL,
        f"{URL}/b",
    )
    text = "--- !ruby/object:Gem::Specification\nname: a\nversion: !ruby/object:Gem::Version\n"
    assert parse_metadata(f"{text}  version: '1.0'\nplatform: java\n") == Installed(
        "a", "1.0", "java"
    )
    assert parse_metadata(text) is None
