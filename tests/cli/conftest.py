"""Fixtures of the tests of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.pairs import Pair


@pytest.fixture
def pair(tmp_path: Path, envlock: Cli) -> Pair:
    """Return two root directories that are the same so far."""
    return Pair(tmp_path, envlock)
