"""Fixtures of the tests of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.pairs import Pair


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty project, which is the current directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "locks").mkdir()
    return tmp_path


@pytest.fixture
def pair(tmp_path: Path, envlock: Cli) -> Pair:
    """Return two root directories that are the same so far."""
    return Pair(tmp_path, envlock)
