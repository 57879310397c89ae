"""A capture finds what the store lost or what became corrupt there, and stores it anew."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from envlock.capture.request import Request
from envlock.capture.setup import Tuning
from envlock.lockfile.writer import render_lock
from envlock.store.check import ProblemKind, check
from envlock.store.objects import SOUND_NS, Store
from envlock.workflow import capture_target
from tests.unit.capture.changes import put

FILES = {
    "etc/passwd": b"root:x:0:0:root:/root:/bin/sh\n",
    "etc/tool.conf": b"level = 1\n",
    "etc/app.conf": b"user = a\npassword = hunter2hunter2\n",
    "srv/one": b"one\n",
    "srv/two": b"two\n",
    "srv/large": bytes(range(256)) * 8192,
    "var/log/syslog": b"started\n",
}
STATUS = (
    b"Package: tool\nStatus: install ok installed\nArchitecture: all\nVersion: 1.0\n"
    b"Conffiles:\n /etc/tool.conf 9dc5d63b8a9a3cc5d0ac1ba0a6a0b0c1\n"
)
SETTLED = Tuning(clock=lambda: time.time_ns() + 10**13)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for path, content in FILES.items():
        put(tmp_path / "root", path, content)
    put(tmp_path / "root", "var/lib/dpkg/status", STATUS)
    put(tmp_path / "root", "var/lib/dpkg/info/tool.list", b"/etc/tool.conf\n")
    return tmp_path / "root"


def take(root: Path) -> tuple[bytes, bool]:
    """Capture; return the lock, and whether the capture was incremental."""
    with Store.open(root.parent / "store") as store:
        captured = capture_target(
            f"dir:{root}", Request(), store, lambda *_: None, keep=True, tuning=SETTLED
        )
        return render_lock(captured.lock), captured.is_incremental


def lose(path: Path) -> None:
    path.unlink()


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.chmod(0o644)
    path.write_bytes(content)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def quarantine(path: Path) -> None:
    """Damage an object unseen, and let a check find it."""
    flip(path)
    os.utime(path, ns=(SOUND_NS, SOUND_NS))
    with Store.open(path.parents[2]) as store:
        assert any(p.kind is ProblemKind.CORRUPT for p in check(store, read_data=True))


@pytest.mark.parametrize("harm", [lose, flip, cut, empty, quarantine])
def test_every_object_heals(root: Path, harm: Callable[[Path], None]) -> None:
    lock, _ = take(root)
    assert take(root) == (lock, True)
    with Store.open(root.parent / "store") as store:
        objects = [path for _, path in store.objects()]
    assert len(objects) > len(FILES), "of each file with content but the log, and the tree"
    for path in objects:
        before = path.read_bytes()
        harm(path)
        assert take(root)[0] == lock
        assert path.read_bytes() == before, path
        with Store.open(root.parent / "store") as store:
            assert check(store, read_data=True) == []
        assert take(root) == (lock, True), "and it is incremental again"
    print(f"{harm.__name__}: {len(objects)} objects healed")  # `pytest -rP` shows it


def test_all_objects_at_once_heal(root: Path) -> None:
    lock, _ = take(root)
    for number, path in enumerate(sorted((root.parent / "store/objects").rglob("*"))):
        if path.is_file():
            (lose, flip, cut, empty)[number % 4](path)
    assert take(root) == (lock, False)
    with Store.open(root.parent / "store") as store:
        assert check(store, read_data=True) == []


def test_a_lost_reference_is_written_again(root: Path) -> None:
    lock, _ = take(root)
    for path in (root.parent / "store/refs").iterdir():
        path.write_bytes(b"?")
    assert take(root)[0] == lock
    with Store.open(root.parent / "store") as store:
        assert check(store, read_data=True) == []


def test_what_is_also_gone_from_the_target_is_no_longer_needed(root: Path) -> None:
    take(root)
    content = (root / "srv/one").read_bytes()
    (root / "srv/one").write_bytes(b"another\n")
    with Store.open(root.parent / "store") as store:
        (lost,) = [path for _, path in store.objects() if path.read_bytes() == content]
    lost.unlink()
    take(root)
    assert not lost.exists()
    assert take(root)[1], "it does not cause a full capture each time"
