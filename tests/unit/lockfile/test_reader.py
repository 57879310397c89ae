"""Reading lockfiles: the golden file, and the report of each mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from envlock.errors import LockfileError, LockfileVersionError
from envlock.lockfile.check import problems
from envlock.lockfile.reader import parse_lock, read_lock
from envlock.lockfile.writer import render_lock
from envlock.model.digest import digests

GOLDEN = Path(__file__).parents[2] / "golden/lock-1.0.lock"


def test_the_golden_file_of_version_1_is_read_and_written_unchanged():
    raw = GOLDEN.read_bytes()
    lock = parse_lock(raw, "golden")
    assert lock.get("deb", "libc6:amd64")["version"] == "2.36-9+deb12u9"
    assert lock.get("file", "/etc/caf\udce9")["class"] == "unowned"
    assert lock.get("process")["cmd"] == '["nginx","-g","daemon off;"]'
    assert render_lock(lock) == raw
    assert problems(raw, "golden") == []


def test_the_digests_of_version_1_never_change():
    found = digests(read_lock(GOLDEN))
    assert found.environment == ENVIRONMENT
    assert found.host == HOST


ENVIRONMENT = "envlock1:sha256:69b09e34f9d3805b8ef86f77b301346c6dd195ed007e24f6ce06aecc3ef90265"
HOST = "envlock1:sha256:ccc0f286d356f3588ad6b99690aeb6d8c2d19ae81bb63e8587a5eb6c80811129"


def test_provenance_coverage_and_process_do_not_change_the_digests():
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
def test_each_mistake_is_reported_with_its_position(text, error, place):
    with pytest.raises(error) as caught:
        parse_lock(text.encode(), "dev.lock")
    assert place in str(caught.value)
    assert "dev.lock" in str(caught.value)


def test_bytes_that_are_not_utf8_are_reported_with_their_line():
    with pytest.raises(LockfileError, match="line 2"):
        parse_lock(b'lock-version = "1.0"\n\xff', "x")


def test_unknown_sections_of_a_newer_minor_version_are_kept():
    raw = b'lock-version = "1.7"\n\n[weather."berlin"]\nsky = "grey"\n'
    lock = parse_lock(raw, "x")
    assert render_lock(lock).endswith(raw)
