"""Situations from the trackers of other projects: each is a pair of roots, and what is said of it.

docs/explanation/situations.md lists them, with what happens in the field.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Cli


class Root:
    """One root directory, with an operating system and a shell."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.put("etc/os-release", "ID=debian\nVERSION_ID=12\n")
        self.put("usr/bin/sh", "x", 0o755)
        (path / "bin").symlink_to("usr/bin")
        self.put("etc/passwd", "root:x:0:0::/root:/bin/sh\n")

    def put(self, name: str, text: str, mode: int = 0o644) -> Path:
        """Write a file; its folders are made."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path


class Pair:
    """Two roots that are the same until a test changes the right one."""

    def __init__(self, folder: Path, envlock: Cli) -> None:
        self.good = Root(folder / "good")
        self._folder, self._envlock = folder, envlock

    @property
    def bad(self) -> Root:
        """The right side; it is copied from the left one when it is asked for first."""
        path = self._folder / "bad"
        if not path.exists():
            shutil.copytree(self.good.path, path, symlinks=True)
        root = object.__new__(Root)
        root.path = path
        return root

    def changes(self) -> list[dict[str, Any]]:
        """Return what differs, without the settings inside of files."""
        targets = (f"dir:{self.good.path}", f"dir:{self.bad.path}")
        found = self._envlock("diff", *targets, "--json", status=None).json["changes"]
        return [change for change in found if change["rule"] != "FILE-SETTING"]

    def records(self) -> dict[tuple[str, str], str]:
        """Return the severity of each record that differs."""
        return {(one["section"], one["key"]): one["severity"] for one in self.changes()}

    def verdicts(self, side: str = "bad") -> list[tuple[str, str, str]]:
        """Return rule, severity and key of what `check` says of one side."""
        target = f"dir:{getattr(self, side).path}"
        found = self._envlock("check", target, "--json", status=None).json["verdicts"]
        return [(one["rule"], one["severity"], one["key"]) for one in found[target]]


@pytest.fixture
def pair(tmp_path: Path, envlock: Cli) -> Pair:
    return Pair(tmp_path, envlock)


Edit = Callable[[Root], object]


def test_settings_of_a_service_with_a_user_of_its_own(pair):
    path = "var/lib/private/AdGuardHome/AdGuardHome.yaml"
    pair.good.put(path, "dns:\n  port: 53\n", 0o600)
    pair.bad.put(path, "dns:\n  port: 5353\n", 0o600)
    assert pair.records() == {("file", f"/{path}"): "medium"}


def test_arguments_of_a_snap(pair):
    path = "var/snap/microk8s/4000/args/kube-apiserver"
    pair.good.put(path, "--service-node-port-range=80-32767\n")
    pair.good.put("var/snap/microk8s/common/var/lib/x/etc/hosts.conf", "1")
    pair.bad.put(path, "--authorization-mode=AlwaysAllow\n")
    pair.bad.put("var/snap/microk8s/common/var/lib/x/etc/hosts.conf", "2")
    assert pair.records() == {("file", f"/{path}"): "medium"}


def test_an_override_of_flatpak(pair):
    path = "var/lib/flatpak/overrides/org.example.App"
    pair.good.put(path, "[Context]\nfilesystems=host;\n")
    (pair.bad.path / path).unlink()
    assert pair.records() == {("file", f"/{path}"): "medium"}


def test_a_template_of_containerd(pair):
    folder = "var/lib/rancher/k3s/agent/etc/containerd"
    pair.good.put(f"{folder}/config.toml", "made at 10:00\n")
    pair.bad.put(f"{folder}/config.toml", "made at 11:00\n")
    pair.bad.put(f"{folder}/config.toml.tmpl", '{{ template "base" . }}\n')
    assert set(pair.records()) == {("file", f"/{folder}/config.toml.tmpl")}


def test_a_table_of_incron(pair):
    pair.good.put("var/spool/incron/root", "/srv/in IN_CLOSE_WRITE /usr/local/bin/import $#\n")
    pair.good.put("var/spool/anacron/cron.daily", "20240101\n", 0o600)
    pair.bad.put("var/spool/anacron/cron.daily", "20240102\n", 0o600)
    (pair.bad.path / "var/spool/incron/root").unlink()
    assert pair.records() == {("file", "/var/spool/incron/root"): "medium"}


def test_settings_of_a_batch_system(pair):
    pair.good.put("var/spool/pbs/mom_priv/config", "$usecp *:/home /home\n")
    pair.good.put("var/spool/pbs/mom_logs/20240101", "a")
    pair.bad.put("var/spool/pbs/mom_priv/config", "$usecp *:/home /data\n")
    pair.bad.put("var/spool/pbs/mom_logs/20240102", "b")
    assert pair.records() == {("file", "/var/spool/pbs/mom_priv/config"): "medium"}


def test_an_old_resolver_in_the_chroot_of_postfix(pair):
    pair.good.put("etc/postfix/master.cf", "smtp inet n - y - - smtpd\n")
    for folder in ("etc", "var/spool/postfix/etc"):
        pair.good.put(f"{folder}/resolv.conf", "nameserver 192.0.2.1\n")
    assert pair.verdicts("good") == []
    pair.bad.put("var/spool/postfix/etc/resolv.conf", "nameserver 192.0.2.9\n")
    assert pair.records() == {("setting", "postfix.chroot"): "medium"}
    assert pair.verdicts() == [("POSTFIX-CHROOT", "medium", "postfix.chroot")]
    (pair.bad.path / "var/spool/postfix/etc/resolv.conf").unlink()
    assert pair.verdicts() == [("POSTFIX-CHROOT", "medium", "postfix.chroot")]
