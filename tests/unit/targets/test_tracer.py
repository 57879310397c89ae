"""The lines of strace, as they come through a pipe."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from envlock.targets.local.tracer import enlarge, read_lines

SECONDS = 6.0
"""Reading in between fixed pauses took 18 seconds with the smallest pipe."""


def through_pipe(parts: Sequence[bytes], size: int = 0) -> list[bytes]:
    reading, writing = os.pipe()
    if size:
        fcntl.fcntl(reading, fcntl.F_SETPIPE_SZ, size)

    def write() -> None:
        with open(writing, "wb", buffering=0) as stream:
            stream.writelines(parts)

    writer = threading.Thread(target=write)
    writer.start()
    with open(reading, "rb", buffering=0) as stream:
        lines = list(read_lines(stream))
    writer.join()
    return [line for line in lines if line]


def test_lines_are_whole_however_they_are_written() -> None:
    parts = [b"1 one\n2 t", b"wo\n", b"", b"\n3 three\n4 four"]
    assert through_pipe(parts) == [b"1 one", b"2 two", b"3 three", b"4 four"]


def test_many_lines_come_in_their_order() -> None:
    lines = [b"%d openat(x) = 3</a>" % number for number in range(200_000)]
    assert through_pipe([b"\n".join(lines)]) == lines


def test_a_line_without_end_is_dropped_and_the_next_one_read() -> None:
    assert through_pipe([b"a" * 3_000_000, b"b\n1 next\n", b"c" * 70_000]) == [b"1 next"]


@pytest.mark.parametrize("size", [4096, 8192, 65536])
def test_a_small_pipe_costs_no_lines_and_no_time(size: int) -> None:
    """A user with many pipes gets small ones (pipe(7)): strace waits while such a one is full."""
    lines = [b"%d openat(x) = 3</a>" % number for number in range(100_000)]
    parts = [
        b"".join(b"%s\n" % line for line in lines[at : at + 40]) for at in range(0, 100_000, 40)
    ]
    began = time.monotonic()
    assert through_pipe(parts, size) == lines
    assert time.monotonic() - began < SECONDS


def test_a_pipe_is_as_large_as_is_allowed() -> None:
    reading, writing = os.pipe()
    largest = int(Path("/proc/sys/fs/pipe-max-size").read_text())
    assert enlarge(reading) >= min(largest, 1024 * 1024)
    for end in (reading, writing):
        os.close(end)
