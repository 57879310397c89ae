"""What lies below a root is opened without ever leaving it."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from envlock.targets.local.beneath import Beneath, path_of


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "a/b/c").mkdir(parents=True)
    (root / "a/b/c/file").write_text("inside")
    (root / "a/other").mkdir()
    (root / "a/other/file").write_text("other")
    (tmp_path / "outside/b/c").mkdir(parents=True)
    (tmp_path / "outside/b/c/file").write_text("outside")
    (root / "link").symlink_to("a")
    (root / "out").symlink_to(tmp_path / "outside")
    return root


def read(beneath: Beneath, path: str) -> str:
    descriptor = beneath.open(path, os.O_RDONLY)
    with os.fdopen(descriptor) as file:
        return file.read()


def test_files_are_opened_and_directories_are_reused(root):
    with Beneath(str(root)) as beneath:
        first = beneath.directory("/a/b/c")
        assert read(beneath, "/a/b/c/file") == "inside"
        assert beneath.directory("/a/b/c") == first
        assert read(beneath, "/a/other/file") == "other"
        assert os.listdir(path_of(beneath.directory("/a"))) in (["b", "other"], ["other", "b"])
        assert os.path.samestat(os.stat(path_of(beneath.directory("/"))), root.stat())


@pytest.mark.parametrize("path", ["/link/b/c/file", "/out/b/c/file", "/a/missing/file"])
def test_no_step_may_be_a_link_or_missing(root, path):
    with Beneath(str(root)) as beneath, pytest.raises(OSError):
        beneath.open(path, os.O_RDONLY)


@pytest.mark.parametrize("path", ["/a/../../outside/b/c/file", "/.."])
def test_no_step_may_lead_up(root, path):
    with Beneath(str(root)) as beneath, pytest.raises((ValueError, OSError)):
        beneath.open(path, os.O_RDONLY)


def test_a_link_is_not_opened(root):
    with Beneath(str(root)) as beneath, pytest.raises(OSError):
        beneath.open("/link", os.O_RDONLY)


def test_no_descriptor_is_left_open(root):
    before = len(os.listdir("/proc/self/fd"))
    beneath = Beneath(str(root))
    beneath.directory("/a/b/c")
    beneath.close()
    beneath.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_directory_that_becomes_a_link_leads_nowhere(root, tmp_path):
    """Another thread swaps a directory and a link to one outside; only the inside is ever read."""
    stop = threading.Event()

    def swap() -> None:
        directory, aside = root / "a", root / "aside"
        while not stop.is_set():
            directory.rename(aside)
            directory.symlink_to(tmp_path / "outside")
            directory.unlink()
            aside.rename(directory)
            time.sleep(0.0005)  # let some questions be answered

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        found = set()
        for _ in range(3000):
            with Beneath(str(root)) as beneath:
                try:
                    found.add(read(beneath, "/a/b/c/file"))
                except OSError:
                    found.add("error")
    finally:
        stop.set()
        thread.join()
    assert "outside" not in found
    assert "inside" in found
