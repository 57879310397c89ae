"""Fixtures of the tests of artifact sources."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def into(tmp_path: Path) -> Path:
    """Return the directory that a source downloads to."""
    folder = tmp_path / "into"
    folder.mkdir()
    return folder
