"""Mount points: read from the kernel's list, and never entered."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from envlock.targets.mounts import may_hang, parse_mountinfo
from tests.conftest import unavailable

LINE = b"36 35 98:0 /mnt1 %s rw,noatime master:1 - %s /dev/root rw,errors=continue\n"


def test_mount_points_are_unescaped_and_the_last_mount_wins():
    raw = (
        LINE % (rb"/a\040b\134c\012d", b"ext4")
        + LINE % (b"/srv", b"xfs")
        + LINE % (b"/srv", b"nfs4")
    )
    assert parse_mountinfo(raw) == {"/a b\\c\nd": "ext4", "/srv": "nfs4"}


def test_mount_points_of_any_bytes():
    assert parse_mountinfo(LINE % (b"/caf\xe9", b"ext4")) == {"/caf\udce9": "ext4"}


@pytest.mark.parametrize(
    "raw", [b"", b"\n\n", b" - ", b"1 2 3 4 - ext4", b"\xff" * 999, b"1 2 3 4 5 6"]
)
def test_malformed_lines_are_ignored(raw):
    assert parse_mountinfo(raw) == {}


def test_a_machine_of_65578_mounts():
    """As many as one real container host had."""
    raw = b"".join(LINE % (b"/var/lib/kubelet/pods/%d/volume" % n, b"tmpfs") for n in range(65_578))
    assert len(parse_mountinfo(raw)) == 65_578


@pytest.mark.parametrize(("kind", "hangs"), [("nfs4", True), ("fuse.sshfs", True), ("ext4", False)])
def test_mounts_that_may_hang(kind, hangs):
    assert may_hang(kind) is hangs


def test_another_file_system_is_a_gap_and_is_not_entered(tmp_path):
    """Runs in a new mount namespace."""
    if os.geteuid():
        unavailable("mounts", "mounting needs root")
    root = tmp_path / "root"
    (root / "disk").mkdir(parents=True)
    (root / "bound").mkdir()
    (root / "etc").mkdir()
    (root / "etc/os-release").write_text("ID=example\n")
    script = (
        f"mount -t tmpfs tmpfs {root}/disk && touch {root}/disk/inside && "
        f"mount --bind {root}/etc {root}/bound && "
        f"{sys.executable} -m envlock capture dir:{root} -o - -v"
    )
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "/bound: another file system" in done.stderr
    assert "inside" not in done.stdout
