"""Files that change or grow, and mounts that vanish, while they are captured.

Whatever a capture meets, the tree names only content that the store has, and the capture ends.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from envlock.capture.request import Request
from envlock.model.tree import EntryType, Tree
from envlock.store.check import check
from envlock.store.objects import Store
from envlock.targets.base import ScanPlan
from envlock.targets.local.filesystem import directory
from envlock.workflow import capture_target
from tests.conftest import unavailable

ROUNDS = 12


@contextmanager
def meanwhile(change: Callable[[int], None]) -> Iterator[None]:
    """Call `change` with 0, 1, 2 … in another thread, again and again."""
    stop = threading.Event()

    def work() -> None:
        for number in itertools.count():
            if stop.is_set():
                return
            change(number)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def capture(root: Path) -> Tree:
    """Capture in full, and require that the store has what the tree names."""
    with Store.open(root.parent / "store") as store:
        captured = capture_target(f"dir:{root}", Request(), store, lambda *_: None, keep=True)
        tree = captured.tree
        assert tree is not None
        for row in tree.rows:
            if row.source.startswith("blob "):
                assert store.size(row.entry.sha256) == row.entry.size, row.entry.path
        assert check(store, read_data=True) == []
    return tree


def seen(tree: Tree) -> set[str]:
    return {row.entry.path for row in tree.rows}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number in range(30):
        path = tmp_path / f"root/srv/{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%d\n" % number * 200)
    return tmp_path / "root"


def test_files_that_are_rewritten(root: Path) -> None:
    def rewrite(number: int) -> None:
        path = root / f"srv/{number % 30}"
        path.write_bytes(b"%d\n" % number * (number % 400))
        time.sleep(0.0002)

    with meanwhile(rewrite):
        for _ in range(ROUNDS):
            assert len(seen(capture(root))) == 32, "all paths, /srv and /"


def test_files_that_are_replaced_by_other_kinds(root: Path) -> None:
    def replace(number: int) -> None:
        path, draft = root / f"srv/{number % 30}", root / "srv/draft"
        kinds = (
            lambda: draft.write_bytes(b"%d\n" % number),
            lambda: draft.symlink_to("/etc/passwd"),
            lambda: os.mkfifo(draft),
        )
        kinds[number % 3]()
        draft.replace(path)
        time.sleep(0.0002)

    with meanwhile(replace):
        for _ in range(ROUNDS):
            assert len(seen(capture(root)) - {"/srv/draft"}) >= 31


def test_a_file_that_grows_faster_than_it_is_read(root: Path) -> None:
    path = root / "srv/growing"

    def grow(number: int) -> None:
        with path.open("ab" if number % 200 else "wb") as stream:
            stream.write(bytes(1 << 20))

    with meanwhile(grow):
        for _ in range(3):
            capture(root)


def test_a_file_that_never_ends_is_not_read_for_ever(root: Path) -> None:
    """A sparse file is extended while it is hashed, so that every piece is full."""
    path = root / "srv/growing"
    path.write_bytes(b"")

    def extend(_number: int) -> None:
        os.truncate(path, path.stat().st_size + (64 << 20) if path.stat().st_size < 1 << 40 else 1)

    with meanwhile(extend):
        target = directory(root)
        started = time.monotonic()
        for entry in target.scan(ScanPlan()):
            if entry.path == "/srv/growing":
                assert entry.type is EntryType.FILE
        target.close()
        assert time.monotonic() - started < 60


def test_a_mount_that_vanishes_and_comes_back(root: Path) -> None:
    place = root / "srv/mounted"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        unavailable("mounts", "this user may not mount")

    def remount(_number: int) -> None:
        subprocess.run(["umount", "-l", place], capture_output=True, check=False)
        subprocess.run(mount, capture_output=True, check=False)
        for name in range(20):
            try:
                (place / str(name)).write_bytes(b"inside")
            except OSError:
                return

    try:
        with meanwhile(remount):
            for _ in range(ROUNDS):
                found = seen(capture(root))
                assert {f"/srv/{number}" for number in range(30)} <= found
    finally:
        unmount = ["umount", "-l", place]
        while not subprocess.run(unmount, capture_output=True, check=False).returncode:
            pass
