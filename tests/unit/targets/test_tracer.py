"""The lines of strace, as they come through a pipe."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence

from envlock.targets.local.tracer import read_lines


def through_pipe(parts: Sequence[bytes]) -> list[bytes]:
    reading, writing = os.pipe()

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
