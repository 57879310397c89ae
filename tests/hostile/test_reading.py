"""Files are opened without waiting and read up to a limit."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from envlock.reading import RegularFile, open_file, read_file

LIMIT = 1000


def test_a_file_at_the_limit_and_one_byte_above_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(LIMIT))
    assert read_file(path, LIMIT) == bytes(LIMIT)
    path.write_bytes(bytes(LIMIT + 1))
    with pytest.raises(OSError, match="larger than 1,000 bytes"):
        read_file(path, LIMIT)


def test_a_file_of_the_kernel_that_states_no_size_is_read_up_to_the_limit() -> None:
    assert read_file("/proc/self/status", 1 << 20).startswith(b"Name:")
    with pytest.raises(OSError, match="larger than"):
        read_file("/proc/self/status", 10)


def test_the_null_device_is_an_empty_file() -> None:
    assert read_file(os.devnull, LIMIT) == b""


def test_nothing_is_opened_that_is_no_file(tmp_path: Path) -> None:
    """A writer that waits for a reader of a pipe is not woken."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="named pipe"):
        open_file(tmp_path / "pipe")
    with pytest.raises(OSError, match="No such device or address"):
        os.open(tmp_path / "pipe", os.O_WRONLY | os.O_NONBLOCK)


def test_a_file_with_nothing_to_read_for_now_is_an_error() -> None:
    reading, writing = os.pipe2(os.O_NONBLOCK)
    with RegularFile(reading, "rb") as file:
        with pytest.raises(BlockingIOError):
            file.read(1)
        with pytest.raises(BlockingIOError):
            file.readinto(bytearray(1))
    os.close(writing)
