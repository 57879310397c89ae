"""Writing lockfiles: atomically, and never with credentials."""

from __future__ import annotations

from pathlib import Path

import pytest

from envlock.errors import SecretRefusedError
from envlock.lockfile.reader import read_lock
from envlock.lockfile.writer import write_lock
from envlock.model.lock import Lock
from envlock.model.record import Record

GOLDEN = Path(__file__).parents[2] / "golden/lock-1.0.lock"


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


def test_writing_is_atomic_and_keeps_the_mode(tmp_path):
    path = tmp_path / "locks/dev.lock"
    lock = read_lock(GOLDEN)
    assert write_lock(path, lock)
    assert not write_lock(path, lock), "the same bytes are not written again"
    path.chmod(0o600)
    other = Lock.of([Record("os", "", {"id": "debian"})])
    assert write_lock(path, other)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["dev.lock"]
