"""The lockfile's form, its golden file, and what each mistake in it is told as."""

from __future__ import annotations

from pathlib import Path

import pytest

from envlock.errors import LockfileError, LockfileVersionError, SecretRefusedError
from envlock.lockfile.check import problems
from envlock.lockfile.merge import merge_locks
from envlock.lockfile.reader import parse_lock, read_lock
from envlock.lockfile.writer import render_lock, write_lock
from envlock.model.digest import digests
from envlock.model.lock import Lock
from envlock.model.record import Record

GOLDEN = Path(__file__).parents[2] / "golden/lock-1.0.lock"


def test_the_golden_file_of_version_1_is_read_and_written_forever():
    raw = GOLDEN.read_bytes()
    lock = parse_lock(raw, "golden")
    assert lock.get("deb", "libc6:amd64")["version"] == "2.36-9+deb12u9"
    assert lock.get("file", "/etc/caf\udce9")["class"] == "unowned"
    assert lock.get("process")["cmd"] == '["nginx","-g","daemon off;"]'
    assert render_lock(lock) == raw
    assert problems(raw, "golden") == []


def test_the_digests_of_version_1_never_move():
    found = digests(read_lock(GOLDEN))
    assert found.environment == ENVIRONMENT
    assert found.host == HOST


ENVIRONMENT = "envlock1:sha256:69b09e34f9d3805b8ef86f77b301346c6dd195ed007e24f6ce06aecc3ef90265"
HOST = "envlock1:sha256:ccc0f286d356f3588ad6b99690aeb6d8c2d19ae81bb63e8587a5eb6c80811129"


def test_provenance_coverage_and_process_are_no_identity():
    text = GOLDEN.read_text()
    for gone in (
        'sha256 = "2222222222222222222222222222222222222222222222222222222222222222"\n',
        'artifact = "numpy-2.4.6-cp311-cp311-manylinux_2_28_x86_64.whl"\n',
        '[coverage."deb"]\nstatus = "ok"\n\n',
        '[process]\ncmd = "[\\"nginx\\",\\"-g\\",\\"daemon off;\\"]"\n\n',
        'entries = "8743"\n',
    ):
        assert gone in text
        assert digests(parse_lock(text.replace(gone, "").encode(), "x")) == digests(
            read_lock(GOLDEN)
        )


@pytest.mark.parametrize(
    ("text", "error", "place"),
    [
        ('lock-version = "2.0"\n', LockfileVersionError, "2.0"),
        ('lock-version = "x"\n', LockfileVersionError, "x"),
        ("lock-version = 1.0\n", LockfileError, "lock-version"),
        ('[os]\nid = "debian"\n', LockfileError, "lock-version"),
        ('lock-version = "1.0"\n[os]\nid = "a"\n[os]\nid = "b"\n', LockfileError, "line 4"),
        ('lock-version = "1.0"\n[os]\nid = "a"\nid = "b"\n', LockfileError, "line 4"),
        ('lock-version = "1.0"\n[[deb]]\nname = "a"\n', LockfileError, "deb"),
        ('lock-version = "1.0"\n[deb."a:b"]\nversion = 1\n', LockfileError, 'deb."a:b".version'),
        ('lock-version = "1.0"\n[deb."a:b"]\nversion = 2020-01-01\n', LockfileError, "version"),
        ('lock-version = "1.0"\n[deb."a:b"]\nversion = ""\n', LockfileError, "version"),
        ('lock-version = "1.0"\n[deb."a:b"]\nversion = "\\\\q"\n', LockfileError, "version"),
        ('lock-version = "1.0"\n<<<<<<< ours\n[os]\n', LockfileError, "line 2"),
        ('lock-version = "1.0"\nother = "x"\n', LockfileError, "other"),
        ('lock-version = "1.0"\nother = ' + "[" * 100_000, LockfileError, "too deeply"),
    ],
)
def test_each_mistake_is_told_with_its_place(text, error, place):
    with pytest.raises(error) as caught:
        parse_lock(text.encode(), "dev.lock")
    assert place in str(caught.value)
    assert "dev.lock" in str(caught.value)


def test_bytes_that_are_not_utf8_are_named_by_line():
    with pytest.raises(LockfileError, match="line 2"):
        parse_lock(b'lock-version = "1.0"\n\xff', "x")


def test_a_newer_minor_version_is_kept_with_what_is_unknown_in_it():
    raw = b'lock-version = "1.7"\n\n[weather."berlin"]\nsky = "grey"\n'
    lock = parse_lock(raw, "x")
    assert render_lock(lock).endswith(raw)


@pytest.mark.parametrize(
    "value",
    ["https://user:canary@example.org/x", "see postgres://app:canary@db.example.org/app here"],
)
def test_credentials_in_a_url_are_refused_and_not_repeated(value, tmp_path):
    lock = Lock.of([Record("apt-source", "k", {"uri": value})])
    with pytest.raises(SecretRefusedError) as caught:
        write_lock(tmp_path / "x.lock", lock)
    assert "canary" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_writing_is_whole_quiet_and_keeps_the_mode(tmp_path):
    path = tmp_path / "locks/dev.lock"
    lock = read_lock(GOLDEN)
    assert write_lock(path, lock)
    assert not write_lock(path, lock), "the same bytes are not written again"
    path.chmod(0o600)
    other = Lock.of([Record("os", "", {"id": "debian"})])
    assert write_lock(path, other)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["dev.lock"]


def test_check_finds_what_is_not_canonical_or_not_closed():
    text = GOLDEN.read_text()
    assert any("canonical" in p for p in problems((text + "\n# x\n").encode(), "x"))
    orphan = text.replace('[python."app"]\nversion = "3.11.7"\nimplementation = "cpython"\n\n', "")
    assert any("no environment is called app" in p for p in problems(orphan.encode(), "x"))
    bad = text.replace('mode = "0644"', 'mode = "rw-r--r--"')
    assert any("file" in p for p in problems(bad.encode(), "x"))


def test_a_merge_tells_conflicts_and_keeps_ours():
    def lock(version, *more):
        return Lock.of([Record("deb", "a:amd64", {"version": version}), *more])

    new = Record("deb", "b:amd64", {"version": "1"})
    merged = merge_locks(lock("1"), lock("2"), lock("3", new))
    assert [conflict.name for conflict in merged.conflicts] == ["deb a:amd64"]
    assert merged.lock.get("deb", "a:amd64") == {"version": "2"}
    assert merged.lock.get("deb", "b:amd64") == {"version": "1"}
    assert merge_locks(lock("1", new), lock("1"), lock("2", new)).lock == lock("2")
