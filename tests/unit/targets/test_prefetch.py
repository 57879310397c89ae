"""A generator in a thread yields the same items and raises the same errors."""

from __future__ import annotations

import threading
from contextlib import closing

import pytest

from envlock.targets.local.prefetch import Prefetcher


def test_it_runs_before_an_item_is_taken():
    done = threading.Event()

    def source():
        yield from range(1000)
        done.set()

    with closing(Prefetcher(source())) as items:
        assert done.wait(60)
        assert list(items) == list(range(1000))


def test_an_error_is_raised_to_the_consumer():
    def source():
        yield 1
        raise OSError("gone")

    with closing(Prefetcher(source())) as items:
        iterator = iter(items)
        assert next(iterator) == 1
        with pytest.raises(OSError, match="gone"):
            next(iterator)


def test_close_drops_the_remaining_items():
    closed = threading.Event()
    is_running = threading.Event()

    def source():
        try:
            while True:
                yield 1
                is_running.set()
        finally:
            closed.set()

    items = Prefetcher(source())
    assert is_running.wait(60)
    items.close()
    assert closed.is_set()
