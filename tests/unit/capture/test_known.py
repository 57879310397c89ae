"""What is remembered of an image is remembered only where another capture would say the same."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from envlock.capture.known import KnownCapture
from envlock.capture.reading import read_target
from envlock.capture.request import Request
from envlock.capture.result import Capture
from envlock.model.process import ProcessConfig
from envlock.scope.engine import READS
from envlock.store.objects import Store
from envlock.targets.kinds import open_target
from envlock.workflow import with_scope
from tests.unit.capture.changes import put


class Image:
    """A directory as an image with an id.

    `fault` is raised where `path` is opened, or wherever anything is asked when `path` is empty.
    """

    def __init__(self, root: Path) -> None:
        self._target = open_target(f"dir:{root}")
        self.fault: Exception | None = None
        self.seconds = 0.0
        self.path = "/opt/app"

    def __getattr__(self, name: str) -> Any:
        if self.fault is not None and not self.path:
            raise self.fault
        return getattr(self._target, name)

    def fixed_id(self) -> str:
        return "sha256:1"

    def process(self) -> ProcessConfig:
        return ProcessConfig(cmd=("/opt/app",))

    def open(self, path: str) -> BinaryIO:
        if path == self.path:
            if self.fault is not None:
                raise self.fault
            time.sleep(self.seconds)
        return self._target.open(path)


@pytest.fixture
def image(tmp_path: Path) -> Image:
    root = tmp_path / "root"
    put(root, "opt/app", b"#!/bin/sh\n")
    put(root, "srv/data", b"data\n")
    return Image(root)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store") as opened:
        yield opened


def is_remembered(image: Image, store: Store, timeout: float = 60, scoped=with_scope) -> bool:
    """Capture an image; return whether it is known now."""
    request = Request(timeout=timeout)
    known = KnownCapture.of(image, request, store)
    assert known is not None
    assert known.load() is None
    read_target(
        image,
        request,
        store,
        lambda *_: None,
        known=known,
        recording=None,
        own=(),
        tuning=None,
        read_later=READS,
        scoped=scoped,
        search=None,
    )
    return known.load() is not None


def test_an_image_that_was_read_is_remembered(image: Image, store: Store) -> None:
    assert is_remembered(image, store)


def test_a_file_that_took_too_long_may_not_do_so_again(image: Image, store: Store) -> None:
    image.path, image.seconds = "/srv/data", 6
    assert not is_remembered(image, store, timeout=3)
    image.seconds = 0
    assert is_remembered(image, store, timeout=3)


def test_a_file_that_could_not_be_read_may_be_read_again(image: Image, store: Store) -> None:
    image.path, image.fault = "/srv/data", OSError(5, "input/output error")
    assert not is_remembered(image, store)
    image.fault = None
    assert is_remembered(image, store)


@pytest.mark.parametrize("fault", [ValueError("damaged"), MemoryError()])
def test_a_failed_search_for_what_is_needed_is_made_again(
    image: Image, store: Store, fault: Exception
) -> None:
    def failing(captured: Capture, request: Request, *more: Any) -> Any:
        image.path, image.fault = "", fault
        return with_scope(captured, request, *more)

    if isinstance(fault, MemoryError):
        with pytest.raises(MemoryError):
            is_remembered(image, store, scoped=failing)
    else:
        assert not is_remembered(image, store, scoped=failing)
    image.fault = None
    assert is_remembered(image, store)
