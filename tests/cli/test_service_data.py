"""The data of a database: without it the image is verified, and with it the lock travels."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

MAIN = "/var/lib/postgresql/15/main"
PIECE = b"\x17\x27\x58\0" + b"\xa1\xf3" * 100
"""What a small file of a database is like: only its owner reads it, and it has no known format."""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Return a root with what PostgreSQL makes, and a setting in the same folder."""
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "usr/bin").mkdir(parents=True)
    shutil.copy(shutil.which("env") or "/usr/bin/env", root / "usr/bin/env")
    (root / "etc/os-release").write_text("ID=example\nVERSION_ID=1\n")
    for name, content in {
        "PG_VERSION": b"15\n",
        "global/pg_control": PIECE,
        "global/pg_filenode.map": PIECE,
        "base/1/112": PIECE * 2,
        "postgresql.auto.conf": b"work_mem = '8MB'\n",
    }.items():
        path = root / MAIN[1:] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o600)
    return root


def test_an_image_without_the_data_is_equal(envlock: Any, database: Path) -> None:
    """Also where a setting lies within, which is compared and which the image does not have."""
    envlock("capture", f"dir:{database}", "--name", "db")
    envlock("materialize", "db", "-o", "image", "--offline")
    done = envlock("verify", "db", "oci:image")
    assert done.out.startswith("EQUAL")
    assert f"not compared: {MAIN} (postgresql)" in done.err


@pytest.mark.parametrize("action", ["drop", "empty"])
def test_what_a_rule_changes_is_no_difference(envlock: Any, database: Path, action: str) -> None:
    """Neither by the record of the file nor by the digest over all files."""
    (database / "etc/extra").write_text("x = 1\n")
    (envlock.folder / "envlock.toml").write_text(
        f'[[normalize]]\npath = "/etc/extra"\naction = "{action}"\nreason = "of this machine"\n'
    )
    envlock("capture", f"dir:{database}", "--name", "db")
    envlock("materialize", "db", "-o", "image", "--offline")
    assert envlock("verify", "db", "oci:image").out.startswith("EQUAL")


@pytest.mark.plants_secrets("a file like a key, in data that is kept whole")
def test_data_that_is_kept_whole_travels(envlock: Any, database: Path) -> None:
    (envlock.folder / "envlock.toml").write_text('[locks]\ncarry = "git"\n')
    envlock("capture", f"dir:{database}", "--name", "db", "--with-state", MAIN)
    assert list((envlock.folder / "locks/objects").iterdir())
    told = envlock("bundle", "db", "-o", "db.bundle").out
    assert f"kept whole and not searched for secrets: {MAIN} (postgresql)" in told
    envlock("materialize", "db", "-o", "image", "--offline")
    assert envlock("verify", "db", "oci:image").out.startswith("EQUAL")
