"""A Debian root with drift of many kinds: planned, done, proved, killed, and taken back."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import unavailable
from tests.docker.test_fixes import BREAK, PREPARE, Root, repository, wheel

MORE = """
groupadd --gid 1700 crew
useradd --uid 1700 --gid 1700 --shell /usr/sbin/nologin --no-create-home sailor
echo 'workers = 4' > /etc/shop.conf
ln -s shop.conf /etc/shop.link
mkdir -p /usr/local/share/ca-certificates
cp /etc/ssl/certs/ISRG_Root_X1.pem /usr/local/share/ca-certificates/own.crt
"""
MORE_BREAK = """
dpkg --configure half
userdel sailor
groupdel crew || true
echo 'workers = 1' > /etc/shop.conf
chmod 0600 /etc/shop.conf
rm /etc/shop.link /usr/local/share/ca-certificates/own.crt
echo own > /etc/own.conf
"""


class Ship:
    """A drifted root, and the command line with the packages of both states."""

    def __init__(self, root: Path, project: Path) -> None:
        self.root = Root(root)
        self.target = f"dir:{root}"
        self.project = project
        self.environ = {
            **os.environ,
            **{
                f"XDG_{name}_HOME": str(project / name)
                for name in ("DATA", "CACHE", "CONFIG", "STATE")
            },
        }

    def argv(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "envlock", *words]

    def run(self, *words: str, status: int | None = 0) -> str:
        """Run envlock and return both of its streams."""
        done = subprocess.run(
            self.argv(*words),
            cwd=self.project,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
        )
        text = done.stdout + done.stderr
        assert status is None or done.returncode == status, f"{words}\n{text}"
        return text


@pytest.fixture(scope="module")
def ship(debian_root, tmp_path_factory):
    if not shutil.which("dpkg-deb"):
        unavailable("registry", "dpkg-deb is not here")
    folder = tmp_path_factory.mktemp("apply")
    path, project = folder / "root", folder / "project"
    subprocess.run(["cp", "-a", debian_root, path], check=True)
    (project / "locks").mkdir(parents=True)
    made = Root(path)
    shutil.rmtree(path / "etc/apt/sources.list.d", ignore_errors=True)
    (path / "etc/apt/sources.list").write_text("deb [trusted=yes] file:/srv/repo ./\n")
    (path / "etc/apt/apt.conf.d/90yes").write_text('APT::Get::Assume-Yes "true";\n')
    repository(path / "srv/repo", folder / "drafts")
    for name in ("newest", "edited", "lost", "more"):
        for version in ("1", "2"):
            wheel(path / "srv/wheels", name, version)
    kept = folder / "packages"
    kept.mkdir()
    for file in (*(path / "srv/repo").iterdir(), *(path / "srv/wheels").iterdir()):
        shutil.copy(file, kept)
    (project / "envlock.toml").write_text(f'[materialize]\nwheels = ["{kept}"]\n')
    made.script(PREPARE + MORE)
    found = Ship(path, project)
    found.run("capture", found.target, "--name", "team", "-q")
    made.script(BREAK + MORE_BREAK)
    found.run("capture", found.target, "--name", "before", "-q")
    return found


LEFT = ("sudo", "keeper")
"""Accounts whose rights and passwords no plan changes."""


def test_a_drifted_root_becomes_like_the_lock_and_goes_back(ship):
    told = ship.run("apply", "team", ship.target, status=2)
    assert "--yes does it" in told
    assert ship.run("diff", "before", ship.target, "--whole").startswith("EQUAL")
    told = ship.run("apply", "team", ship.target, "--remove", "--yes")
    assert "still there" not in told and "new:" not in told, told
    told = ship.run("apply", "team", ship.target, "--remove")
    assert told.startswith("NOTHING TO DO")
    left = told.partition("left as it is")[2]
    assert all(f"\n  {name}\n" in left for name in LEFT), left
    for command in (["id", "-u", "sailor"], ["/opt/app/bin/python", "-c", "import lost, newest"]):
        ship.root.run(*command)
    link = ship.root.path / "etc/shop.link"
    assert os.readlink(link) == "shop.conf" and link.read_text() == "workers = 4\n"
    held = subprocess.run(
        ["chroot", ship.root.path, "apt-mark", "showhold"], capture_output=True, check=True
    ).stdout
    assert held == b""
    told = ship.run("apply", ship.target, "--undo")
    assert "not taken back" not in told
    assert ship.run("diff", "before", ship.target, "--whole").startswith("EQUAL")
    held = subprocess.run(
        ["chroot", ship.root.path, "apt-mark", "showhold"], capture_output=True, check=True
    ).stdout
    assert held == b"held\n"


def test_a_run_that_is_killed_among_packages_is_finished_and_taken_back(ship):
    runs = ship.root.path / "var/lib/envlock/apply"
    number = f"{max(map(int, os.listdir(runs)), default=0) + 1:04d}" if runs.exists() else "0001"
    child = subprocess.Popen(
        ship.argv("apply", "team", ship.target, "--remove", "--yes"),
        cwd=ship.project,
        env=ship.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    log = runs / number / "journal.jsonl"
    while child.poll() is None and not _has_begun(log, "packages"):
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    _wait_for_dpkg(ship.root.path)
    told = ship.run("apply", "team", ship.target, "--remove", "--yes", status=5)
    assert f"run {number} was not finished" in told
    ship.run("apply", ship.target, "--resume")
    assert ship.run("apply", "team", ship.target, "--remove").startswith("NOTHING TO DO")
    ship.run("apply", ship.target, "--undo")
    assert ship.run("diff", "before", ship.target, "--whole").startswith("EQUAL")


def _has_begun(log: Path, step: str) -> bool:
    if not log.exists():
        return False
    return any('"event": "begin"' in line and step in line for line in log.read_text().splitlines())


def _wait_for_dpkg(root: Path) -> None:
    """What a killed envlock had started ends by itself."""
    for _ in range(600):
        inside = [p for p in Path("/proc").glob("[0-9]*/root") if _leads_to(p, root)]
        if not inside:
            return
        time.sleep(0.1)


def _leads_to(path: Path, root: Path) -> bool:
    try:
        return os.readlink(path) == str(root)
    except OSError:
        return False
