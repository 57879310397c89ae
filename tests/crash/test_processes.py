"""Killed processes, several at once, and garbage collection while an image is rebuilt."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import unavailable

ENVLOCK = (sys.executable, "-m", "envlock")
KILLS = 12


@pytest.fixture
def root(tmp_path):
    for number in range(400):
        path = tmp_path / f"root/srv/{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%d\n" % number * 500)
    (tmp_path / "root/var/lib/dpkg").mkdir(parents=True)
    (tmp_path / "root/var/lib/dpkg/arch").write_text("amd64\n")
    return tmp_path / "root"


def start(envlock, *arguments):
    return subprocess.Popen(
        [*ENVLOCK, *map(str, arguments)],
        cwd=envlock.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def drafts(*folders: Path) -> list[Path]:
    return [p for folder in folders for p in folder.rglob(".envlock-*")]


@pytest.mark.parametrize("verb", ["capture", "materialize"])
def test_killed_at_any_time_it_leaves_a_sound_store_and_the_next_one_sweeps(
    envlock, root, tmp_path, verb
):
    store = tmp_path / "xdg_data_home/envlock"
    capture = ("capture", f"dir:{root}", "--name", "box", "-q")
    rebuild = ("materialize", "box", "--offline", "-o", tmp_path / "image")
    envlock(*capture)
    for number in range(KILLS):
        for changed in range(number * 20, number * 20 + 200):
            (root / f"srv/{changed % 400}").write_bytes(b"%d %d\n" % (number, changed) * 500)
        if verb == "materialize":
            envlock(*capture)
        process = start(envlock, *(capture if verb == "capture" else rebuild))
        time.sleep(0.1 + number * 0.06)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        envlock("store", "check", "--read-data")
        assert list((store / "tmp").iterdir()) == []
        envlock("check", "box")
    envlock(*capture)
    envlock(*rebuild)
    assert drafts(envlock.folder, tmp_path, store) == []
    assert "EQUAL" in envlock("verify", "box", f"oci:{tmp_path / 'image'}").out


def test_two_at_once_do_each_others_work_no_harm(envlock, root, tmp_path):
    capture = ("capture", f"dir:{root}", "--name", "box", "-q")
    for process in [start(envlock, *capture) for _ in range(3)]:
        _, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
    lock = (envlock.folder / "locks/box.lock").read_bytes()
    rebuild = ("materialize", "box", "--offline", "-o", tmp_path / "image")
    for _ in range(2):  # into a new directory, and into a layout
        rebuilds = [start(envlock, *rebuild) for _ in range(2)]
        ends = [(process, *process.communicate(timeout=300)) for process in rebuilds]
        assert any(process.returncode == 0 for process, _, _ in ends), ends
        for process, _, err in ends:
            assert process.returncode == 0 or b"not empty" in err.lower(), err
    assert "EQUAL" in envlock("verify", "box", f"oci:{tmp_path / 'image'}").out
    envlock(*capture)
    assert (envlock.folder / "locks/box.lock").read_bytes() == lock
    envlock("store", "check", "--read-data")


def test_garbage_is_not_collected_while_an_image_is_rebuilt(envlock, root, tmp_path):
    envlock("capture", f"dir:{root}", "--name", "box", "-q")
    process = start(envlock, "materialize", "box", "--offline", "-o", tmp_path / "image")
    while process.poll() is None:
        ran = envlock("store", "gc", "--grace", "0", status=None)
        assert ran.status == 0 or "in use" in ran.err, ran.err
    _, err = process.communicate()
    assert process.returncode == 0, err
    assert "EQUAL" in envlock("verify", "box", f"oci:{tmp_path / 'image'}").out
    envlock("store", "check", "--read-data")


def test_a_store_that_cannot_be_written_is_an_error_and_nothing_is_written(envlock, root, tmp_path):
    mount = ["mount", "--bind", tmp_path, tmp_path]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        unavailable("mounts", "this user may not mount")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", tmp_path], check=True)
        for arguments in (
            ("capture", f"dir:{root}", "-o", "/dev/shm/envlock-test-store.lock"),
            ("materialize", "box", "--offline", "-o", "/dev/shm/envlock-test-store"),
        ):
            ran = envlock(*arguments, status=None)
            assert ran.status in (2, 4), ran.err
            assert "Traceback" not in ran.err
        assert not list(Path("/dev/shm").glob("*envlock-test-store*"))
    finally:
        subprocess.run(["umount", "-l", tmp_path], check=True)
