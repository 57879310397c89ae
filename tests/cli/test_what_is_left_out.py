"""What is left out or not compared is counted, and explained by the rule that says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Cli


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with a file of settings that holds a password, and one that is a secret."""
    root = tmp_path / "root"
    (root / "etc/restic").mkdir(parents=True)
    (root / "etc/app.conf").write_text("user = app\npassword = hunter2\nport = 1\n")
    (root / "etc/restic/password").write_text("hunter2\n")
    (root / "etc/plain.conf").write_text("a = 1\n")
    return root


def test_a_capture_counts_and_lists_both(root: Path, envlock: Cli) -> None:
    told = envlock("capture", f"dir:{root}", "-o", "a.lock")
    assert "left out as secret: /etc/restic/password (secret-name)" in told.err
    assert "kept without their secret values: 1 files" in told.err
    (root / "etc/new.conf").write_text("a = 1\n")
    for _ in range(2):  # the second is incremental
        listed = envlock("capture", f"dir:{root}", "-o", "a.lock", "--json").json
        assert listed["left_out"] == {"/etc/restic/password": "secret-name"}
        assert listed["redacted"] == {"/etc/app.conf": "password-setting"}


def test_a_diff_counts_what_it_did_not_compare(root: Path, envlock: Cli) -> None:
    envlock("capture", f"dir:{root}", "-o", "a.lock")
    (root / "etc/app.conf").write_text("user = app\npassword = letmein\nport = 2\n")
    (root / "etc/restic/password").write_text("letmein\n")
    envlock("capture", f"dir:{root}", "-o", "b.lock")
    told = envlock("diff", "a.lock", "b.lock", status=1).out
    assert "line 3  port = 1 → port = 2" in told
    assert "line 2" not in told
    assert "1 compared without secret values" in told


def test_a_path_is_explained_with_a_lock(root: Path, envlock: Cli) -> None:
    envlock("capture", f"dir:{root}", "-o", "a.lock")

    def explained(path: str) -> str:
        return envlock("explain", path, "a.lock").out

    assert "left out as secret" in explained("/etc/restic/password")
    assert "(secret-name)" in explained("/etc/restic/password")
    assert "values are replaced by ***" in explained("/etc/app.conf")
    assert "\n  password (password-setting)\n" in explained("/etc/app.conf")
    assert explained("/etc/plain.conf").endswith("in a.lock: unowned\n")
    assert explained("/etc/none").endswith("/etc/none is not in a.lock\n")


def test_a_package_with_a_slash_in_its_name_is_recorded_or_a_gap(
    tmp_path: Path, envlock: Cli
) -> None:
    status = tmp_path / "root/var/lib/dpkg/status"
    status.parent.mkdir(parents=True)
    status.write_text(
        "Package: a/b\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n"
    )
    envlock("capture", f"dir:{tmp_path / 'root'}", "-o", "a.lock")
    assert envlock("check", "a.lock").status == 0
    lock = (envlock.folder / "a.lock").read_text()
    assert '[deb."a/b' in lock or "a/b" in lock


def test_scope_that_is_skipped_is_said_to_be_skipped(root: Path, envlock: Cli) -> None:
    words = ("capture", f"dir:{root}", "-o", "a.lock", "--root", "app=exe:/bin/none")
    envlock(*words, "--skip", "scope")
    lock = (envlock.folder / "a.lock").read_text()
    assert '[coverage."scope"]\nstatus = "skipped"' in lock
    assert '[scope."app"]' not in lock
    envlock(*words)
    assert '[scope."app"]' in (envlock.folder / "a.lock").read_text()
