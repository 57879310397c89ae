"""An environment without any package is rebuilt from stored content alone."""

import shutil
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def bare_root(tmp_path: Path) -> Path:
    """Return a root without /var, without packages, with one program."""
    root = tmp_path / "root"
    (root / "usr/bin").mkdir(parents=True)
    (root / "etc").mkdir()
    shutil.copy(shutil.which("env") or "/usr/bin/env", root / "usr/bin/env")
    (root / "etc/os-release").write_text("ID=example\nVERSION_ID=1\n")
    (root / "etc/example.conf").write_text("answer = 42\n")
    return root


def test_a_rebuilt_image_is_verified(envlock: Any, bare_root: Path) -> None:
    envlock("capture", f"dir:{bare_root}", "--name", "bare")
    envlock("materialize", "bare", "-o", "image", "--offline")
    assert envlock("verify", "bare", "oci:image").out.startswith("EQUAL")


def test_a_changed_setting_is_shown(envlock: Any, bare_root: Path) -> None:
    envlock("capture", f"dir:{bare_root}", "--name", "bare")
    (bare_root / "etc/example.conf").write_text("answer = 43\n")
    envlock("capture", f"dir:{bare_root}", "--name", "other")
    assert "answer = 42 → answer = 43" in envlock("diff", "bare", "other", status=1).out


def test_a_changed_secret_is_not_shown(envlock: Any, bare_root: Path) -> None:
    (bare_root / "etc/example.conf").write_text("db_pass = tr0ub4dor\nlevel = 1\n")
    envlock("capture", f"dir:{bare_root}", "--name", "bare")
    (bare_root / "etc/example.conf").write_text("db_pass = c0rrecthorse\nlevel = 2\n")
    envlock("capture", f"dir:{bare_root}", "--name", "other")
    output = envlock("diff", "bare", "other", "--all", status=1).out
    assert "/etc/example.conf" in output
    assert "level = 1 → level = 2" in output
    assert "tr0ub4dor" not in output
    assert "c0rrecthorse" not in output
