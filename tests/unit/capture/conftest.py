"""Captures of a directory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from envlock.capture.engine import capture
from envlock.capture.registry import collectors
from envlock.capture.request import Request
from envlock.capture.result import Capture
from envlock.model.depth import Depth
from envlock.store.objects import Store
from envlock.targets.base import HashCache
from envlock.targets.local.filesystem import LocalTarget


@pytest.fixture
def captured(tmp_path: Path) -> Callable[..., Capture]:
    """Return a function that captures a directory in full, or to another depth."""

    def run(root: Path, *, cache: HashCache | None = None, **request: object) -> Capture:
        target = LocalTarget(root, "dir:root", is_host=False)
        wanted = Request(**{"depth": Depth.FULL, **request})
        with Store.open(tmp_path / "store") as store:
            return capture(target, collectors(), wanted, store=store, cache=cache)

    return run
