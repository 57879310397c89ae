"""What is done ahead is what would have been done later, its errors included."""

from __future__ import annotations

import threading
from contextlib import closing

import pytest

from envlock.targets.local.prefetch import Prefetcher


def test_it_is_done_before_anything_is_taken():
    done = threading.Event()

    def source():
        yield from range(1000)
        done.set()

    with closing(Prefetcher(source())) as ahead:
        assert done.wait(60)
        assert list(ahead) == list(range(1000))


def test_what_goes_wrong_is_told_where_it_is_taken():
    def source():
        yield 1
        raise OSError("gone")

    with closing(Prefetcher(source())) as ahead:
        found = iter(ahead)
        assert next(found) == 1
        with pytest.raises(OSError, match="gone"):
            next(found)


def test_what_is_not_taken_is_dropped():
    closed = threading.Event()
    go_on = threading.Event()

    def source():
        try:
            while True:
                yield 1
                go_on.set()
        finally:
            closed.set()

    ahead = Prefetcher(source())
    assert go_on.wait(60)
    ahead.close()
    assert closed.is_set()
