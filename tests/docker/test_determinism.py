"""One lock, one digest, whatever the folder, the locale, the zone, the threads or the store."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tests.conftest import unavailable

pytestmark = pytest.mark.docker


def materialize(envlock, lock, layout, *options, shell_prefix="", **environ):
    command = " ".join(
        [sys.executable, "-m", "envlock", "materialize", str(lock), "-o", str(layout), *options]
    )
    done = subprocess.run(
        ["sh", "-c", f"{shell_prefix} exec {command}"],
        cwd=envlock.folder,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def lock(debian_root, envlock):
    envlock("capture", f"dir:{debian_root}", "--name", "root")
    return envlock.folder / "locks/root.lock"


def test_the_manifest_digest_depends_on_the_lock_alone(lock, envlock, tmp_path):
    first = materialize(envlock, lock, tmp_path / "a", TZ="UTC", LANG="C", ENVLOCK_JOBS="1")
    other = tmp_path / "somewhere/else"
    other.mkdir(parents=True)
    moved = shutil.copytree(tmp_path / "xdg_data_home", tmp_path / "store2", symlinks=True)
    shutil.rmtree(moved / "envlock/cache/members")
    shutil.rmtree(moved / "envlock/cache/layers")
    prefix = "umask 077; "
    if os.geteuid() == 0:
        prefix += "unshare --uts sh -c 'hostname elsewhere'; "
    second = materialize(
        envlock,
        lock,
        other / "b",
        shell_prefix=prefix,
        TZ="Pacific/Kiritimati",
        LANG="tr_TR.UTF-8",
        PYTHONHASHSEED="4711",
        ENVLOCK_JOBS="3",
        XDG_DATA_HOME=str(moved),
        SOURCE_DATE_EPOCH="1",
    )
    assert first == second
    blobs = [
        sorted(p.name for p in (d / "blobs/sha256").iterdir())
        for d in (tmp_path / "a", other / "b")
    ]
    assert blobs[0] == blobs[1]


def test_two_captures_of_one_root_are_the_same_bytes(debian_root, envlock):
    first = envlock("capture", f"dir:{debian_root}", "-o", "-").out
    again = envlock(
        "capture", f"dir:{debian_root}", "-o", "-", PYTHONHASHSEED="7", TZ="Asia/Tokyo", LANG="C"
    ).out
    assert first == again


def test_other_tools_accept_the_layout_and_the_archive(lock, envlock, tmp_path):
    if not shutil.which("skopeo"):
        unavailable("tools", "skopeo is not installed")
    archive = tmp_path / "image.tar"
    digest = materialize(
        envlock, lock, tmp_path / "layout", "--archive", str(archive), "--tag", "web:1"
    )
    for place in (
        f"oci:{tmp_path / 'layout'}",
        f"oci-archive:{archive}",
        f"docker-archive:{archive}",
    ):
        inspected = subprocess.run(
            ["skopeo", "inspect", place], capture_output=True, text=True, check=True
        )
        assert "io.envlock.environment-digest" in inspected.stdout
    raw = subprocess.run(
        ["skopeo", "inspect", "--format", "{{.Digest}}", f"oci:{tmp_path / 'layout'}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert raw.stdout.strip() == digest
    subprocess.run(
        ["skopeo", "copy", f"oci:{tmp_path / 'layout'}", f"dir:{tmp_path / 'copy'}"],
        check=True,
        capture_output=True,
    )
    if shutil.which("umoci"):
        bundle = tmp_path / "bundle"
        unpack = ["umoci", "unpack", "--image", f"{tmp_path / 'layout'}:web:1", str(bundle)]
        subprocess.run(unpack, check=True, capture_output=True)
        assert (bundle / "rootfs/usr/bin/env").exists()
