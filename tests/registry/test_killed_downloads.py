"""A download that was killed goes on in the next run, from what the first one received."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.registry.debian import PACKAGES, index_of, make_repository, make_root, mirror
from tests.registry.faults import Question, Reply

HALF = 200_000
LEAST = HALF - (64 << 10)
"""What is on the disk by then: what came is written in pieces."""


@contextmanager
def archive(folder: Path, goes_on: threading.Event) -> Iterator[tuple[str, list[Question]]]:
    """Serve packages by name; the first answer for ``data`` says its half, then waits."""

    def fault(question: Question, ask: Callable[[], Reply]) -> Reply:
        reply = ask()
        tagged = reply._replace(headers={**reply.headers, "ETag": '"1"'})
        is_first = [q.path for q in seen].count("/data.deb") == 1
        if question.path == "/data.deb" and is_first:
            return tagged._replace(pause=(HALF, goes_on))
        return tagged

    with mirror(folder, fault) as (url, seen):
        yield url, seen


def test_the_next_materialize_asks_for_the_rest(
    tmp_path: Path, there: Callable[[str], Cli], monkeypatch: pytest.MonkeyPatch
) -> None:
    large = {"usr/share/data/one": random.Random(1).randbytes(2 * HALF)}
    monkeypatch.setitem(PACKAGES, "data", large)  # type: ignore[misc]
    folder = make_repository(tmp_path / "repository")
    root = make_root(tmp_path / "root")
    index_of(root, folder)
    envlock = there("one")
    envlock("capture", f"dir:{root}", "--name", "prod", "-q")
    goes_on = threading.Event()
    with archive(folder, goes_on) as (url, seen):
        settings = f'[materialize]\narchives = ["{url}/{{name}}.deb"]\n'
        (envlock.folder / "envlock.toml").write_text(settings)
        argv = [sys.executable, "-m", "envlock", "materialize", "prod", "-o", "image"]
        process = subprocess.Popen(
            argv, cwd=envlock.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            part = _part(tmp_path)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
            goes_on.set()
        received = part.stat().st_size
        seen.clear()
        done = envlock("materialize", "prod", "-o", "image", "--json").json
    asked = {q.path: q.headers.get("Range") for q in seen if q.method == "GET"}
    assert asked["/data.deb"] == f"bytes={received}-"
    assert done["fetched"] >= 1
    assert envlock("verify", "prod", "oci:image").out.startswith("EQUAL")
    assert not part.exists()


def _part(tmp_path: Path) -> Path:
    """Wait for half of the package; return the file that it is in."""
    for _ in range(600):
        for path in tmp_path.glob("one/data/**/partial/*.part"):
            if path.stat().st_size >= LEAST:
                return path
        time.sleep(0.1)
    raise AssertionError(f"nothing was received: {os.listdir(tmp_path)}")
