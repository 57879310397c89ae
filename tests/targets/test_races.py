"""Directories that are swapped for links during a capture never lead out of the root."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from envlock.model.tree import EntryType
from envlock.targets.base import ScanPlan
from envlock.targets.local.filesystem import directory

ROUNDS = 60


@contextmanager
def swapping(root: Path, outside: Path) -> Iterator[None]:
    """Swap the directory ``srv`` for a link to `outside` and back, again and again."""
    stop = threading.Event()

    def swap() -> None:
        there, aside = root / "srv", root / "aside"
        while not stop.is_set():
            there.rename(aside)
            there.symlink_to(outside)
            there.unlink()
            aside.rename(there)
            time.sleep(0.001)  # let some questions be answered

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_a_walk_and_reads_stay_in_the_root(tmp_path):
    root, outside = tmp_path / "root", tmp_path / "outside"
    for base, word in ((root / "srv", "inside"), (outside, "outside")):
        for number in range(20):
            path = base / f"d{number}/{word}"
            path.parent.mkdir(parents=True)
            path.write_text(word)
            (path.parent / "same").write_text(word)
    digests, contents, names = set(), set(), set()
    with swapping(root, outside):
        for _ in range(ROUNDS):
            target = directory(root)
            for entry in target.scan(ScanPlan()):
                names.add(entry.path.rpartition("/")[2])
                if entry.type is EntryType.FILE:
                    digests.add(entry.sha256)
            for number in range(20):
                with suppress(OSError):
                    contents.add(target.read(f"/srv/d{number}/same"))
                with suppress(OSError):
                    contents.add(target.names(f"/srv/d{number}"))
            target.close()
    assert "inside" in names
    assert "outside" not in names
    assert len(digests - {""}) == 1, "empty for a file that vanished before it was read"
    assert contents <= {b"inside", ("inside", "same")}
    assert contents
