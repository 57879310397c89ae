"""A layer that was pulled whole is not pulled again; no other is kept."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from envlock.targets.stream.layer_shelf import (
    SHELF_BYTES,
    LayerShelf,
    layers_shared,
    shared_shelf,
)


class Layer:
    """A layer that counts how often it is pulled."""

    def __init__(self, *pieces: bytes, fails: bool = False) -> None:
        self._pieces = pieces
        self._fails = fails
        self.pulls = 0

    def __call__(self) -> Iterator[bytes]:
        self.pulls += 1
        yield from self._pieces
        if self._fails:
            raise ValueError("a wrong digest")


def test_it_is_pulled_once_and_read_in_any_order() -> None:
    shelf, layer = LayerShelf(), Layer(b"a" * 3_000_000, b"bc")
    whole = b"a" * 3_000_000 + b"bc"
    assert b"".join(shelf.layer("x", len(whole), layer)) == whole
    one, other = (shelf.layer("x", len(whole), layer) for _ in range(2))
    next(one)
    assert b"".join(other) == whole
    assert layer.pulls == 1
    shelf.close()
    assert b"".join(shelf.layer("x", len(whole), layer)) == whole
    assert layer.pulls == 2
    shelf.close()


def test_a_part_and_a_wrong_layer_are_not_kept() -> None:
    shelf, part, wrong = LayerShelf(), Layer(b"ab", b"cd"), Layer(b"ab", fails=True)
    started = shelf.layer("part", 4, part)
    next(started)
    started.close()  # type: ignore[attr-defined]
    assert b"".join(shelf.layer("part", 4, part)) == b"abcd"
    assert part.pulls == 2
    for _ in range(2):
        with pytest.raises(ValueError, match="wrong digest"):
            list(shelf.layer("wrong", 2, wrong))
    assert wrong.pulls == 2
    shelf.close()


def test_a_layer_above_the_room_is_pulled_again() -> None:
    shelf, small, large = LayerShelf(room=6), Layer(b"1234"), Layer(b"123")
    for _ in range(2):
        assert b"".join(shelf.layer("small", 4, small)) == b"1234"
        assert b"".join(shelf.layer("large", 3, large)) == b"123"
    assert (small.pulls, large.pulls) == (1, 2)
    over, at = Layer(b"x"), Layer(b"y")
    for _ in range(2):
        list(shelf.layer("over", SHELF_BYTES + 1, over))
        list(shelf.layer("at", 1, at))
    assert (over.pulls, at.pulls) == (2, 1)
    shelf.close()


def test_a_shelf_is_shared_within_a_block() -> None:
    assert shared_shelf() is None
    with layers_shared():
        assert shared_shelf() is not None
    assert shared_shelf() is None


def limited(*commands: str, folder: str) -> str:
    """Return what commands print in a process that may write files of at most 1 MiB."""
    code = (
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))\n"
        "from envlock.targets.stream.layer_shelf import LayerShelf\n"
        "shelf = LayerShelf(room=3_000_000)\n" + "\n".join(commands)
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TMPDIR": folder},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_full_disk_costs_the_copy_and_not_the_pull(tmp_path: Path) -> None:
    pieces = "lambda: iter([b'a' * 4_000] * 525)"
    assert limited(
        f"print(sum(map(len, shelf.layer('x', 2_100_000, {pieces}))))",
        f"print(sum(map(len, shelf.layer('x', 2_100_000, {pieces}))))",
        "small = lambda: iter([b'b' * 1_000_000])",
        "print(sum(map(len, shelf.layer('y', 1_000_000, small))))",
        "print(sum(map(len, shelf.layer('y', 1_000_000, None))))  # it is kept: nothing is pulled",
        "shelf.close()",
        folder=str(tmp_path),
    ).split() == ["2100000", "2100000", "1000000", "1000000"]


def test_a_disk_that_takes_no_file_costs_the_copy_and_not_the_pull(tmp_path: Path) -> None:
    assert limited(
        "import os, tempfile",
        "tempfile.tempdir = os.environ['TMPDIR'] + '/none'",
        "print(sum(map(len, shelf.layer('x', 3, lambda: iter([b'abc'])))))",
        folder=str(tmp_path),
    ).split() == ["3"]


def test_only_what_is_kept_takes_room() -> None:
    shelf, layer, other = LayerShelf(room=6), Layer(b"ab", b"cd"), Layer(b"xy")
    one, two = (shelf.layer("x", 4, layer) for _ in range(2))
    for pieces in (one, two):
        next(pieces)
    assert b"".join(one) == b"".join(two) == b"cd"
    for _ in range(2):
        assert b"".join(shelf.layer("y", 2, other)) == b"xy"
    assert other.pulls == 1, "the second copy of x took no room"
    shelf.close()
