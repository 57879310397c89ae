"""A download that was killed goes on in the next run, from what the first one received."""

from __future__ import annotations

import hashlib
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
from tests.registry.faults import Question, Reply, proxy

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
        part = _killed(envlock, tmp_path / "one", "materialize", "prod", "-o", "image")
        goes_on.set()
        received = part.stat().st_size
        seen.clear()
        done = envlock("materialize", "prod", "-o", "image", "--json").json
    asked = {q.path: q.headers.get("Range") for q in seen if q.method == "GET"}
    assert asked["/data.deb"] == f"bytes={received}-"
    assert done["fetched"] >= 1
    assert envlock("verify", "prod", "oci:image").out.startswith("EQUAL")
    assert not part.exists()


def test_the_next_pull_asks_for_the_rest(
    tmp_path: Path, registry: str, there: Callable[[str], Cli]
) -> None:
    root = make_root(tmp_path / "root")
    large = random.Random(2).randbytes(12 << 20)
    (root / "srv").mkdir()
    (root / "srv/large.bin").write_bytes(large)
    one = there("one")
    one("capture", f"dir:{root}", "--name", "prod", "-q")
    one("push", "prod", f"oci://{registry}/killed/pull:prod", "--yes")
    digest = f"/blobs/sha256:{hashlib.sha256(large).hexdigest()}"
    goes_on = threading.Event()

    def fault(question: Question, ask: Callable[[], Reply]) -> Reply:
        reply = ask()
        asked = [q for q in seen if q.path.endswith(digest) and q.method == "GET"]
        is_first = asked == [question]
        return reply._replace(pause=(len(large) // 2, goes_on)) if is_first else reply

    two = there("two")
    with proxy(registry, fault) as (host, seen):
        reference = f"oci://{host}/killed/pull:prod"
        part = _killed(two, tmp_path / "two", "pull", reference, "-o", "prod.lock")
        goes_on.set()
        received = part.stat().st_size
        seen.clear()
        two("pull", reference, "-o", "prod.lock")
    ranges = [q.headers.get("Range") for q in seen if q.path.endswith(digest)]
    assert ranges == [f"bytes={received}-"]
    assert two("diff", "prod.lock", one.folder / "locks/prod.lock").out.startswith("EQUAL")
    assert not part.exists()


def _killed(envlock: Cli, home: Path, *arguments: str) -> Path:
    """Kill a command once it has received a part of a file; return that part."""
    process = subprocess.Popen(
        [sys.executable, "-m", "envlock", *arguments],
        cwd=envlock.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        return _part(home)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def _part(home: Path) -> Path:
    """Wait for a part of a file; return it."""
    for _ in range(600):
        for path in home.glob("data/**/partial/*.part"):
            if path.stat().st_size >= LEAST:
                return path
        time.sleep(0.1)
    raise AssertionError("nothing was received")
