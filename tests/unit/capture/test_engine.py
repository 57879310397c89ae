"""What goes wrong in one collector is a gap of that collector and costs the others nothing."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.engine import capture
from envlock.capture.files.ownership import Claims
from envlock.capture.request import Request
from envlock.model.depth import Depth
from envlock.model.record import Record
from envlock.model.stat import Hashes, StatKey
from envlock.targets.local.filesystem import directory

READS = ("/etc/*",)


def collector(name, collect):
    return Collector(name=name, sections=(name,), reads=READS, collect=collect)


def good(context: Context) -> Iterator[Record]:
    context.read("/etc/good")
    yield Record("locale", "", {"lang": "C"})


def broken(context: Context) -> Iterator[Record]:
    yield Record("gem", "one", {"version": "1"})
    raise KeyError("surprise")


def slow(context: Context) -> Iterator[Record]:
    yield Record("npm", "one", {"version": "1"})
    while True:
        time.sleep(0.05)
        context.read("/etc/good")


def twice(context: Context) -> Iterator[Record]:
    yield Record("user", "root", {"uid": "0"})
    yield Record("user", "root", {"uid": "1"})


def coverage(
    tmp_path: Path,
    *collectors: Collector,
    timeout: float = 60,
    depth: Depth = Depth.RECORDS,
):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/good").touch()
    captured = capture(directory(tmp_path), collectors, Request(depth=depth, timeout=timeout))
    return captured.lock


def test_a_failing_collector_is_a_gap(tmp_path):
    lock = coverage(tmp_path, collector("gem", broken), collector("locale", good))
    assert lock.get("locale") == {"lang": "C"}
    assert lock.get("gem", "one") == {"version": "1"}
    assert lock.coverage["gem"]["status"] == "partial"
    assert "KeyError: 'surprise'" in lock.coverage["gem"]["reason"]
    assert lock.coverage["locale"] == {"status": "ok"}


def test_a_collector_has_its_time(tmp_path):
    lock = coverage(tmp_path, collector("npm", slow), collector("locale", good), timeout=0.3)
    assert lock.get("npm", "one") == {"version": "1"}
    assert lock.coverage["npm"] == {
        "status": "partial",
        "gaps": "1",
        "reason": "npm: took longer than 0.3 seconds",
    }
    assert lock.coverage["locale"] == {"status": "ok"}


def endless(_context: Context) -> Iterator[Record]:
    yield Record("npm", "one", {"version": "1"})
    re.match(r"(a|aa)+\Z", "a" * 200 + "b")  # takes longer than the universe has been there


def test_work_that_never_checks_its_time_is_ended(tmp_path):
    started = time.monotonic()
    lock = coverage(tmp_path, collector("npm", endless), collector("locale", good), timeout=0.3)
    assert time.monotonic() - started < 20
    assert lock.get("npm", "one") == {"version": "1"}
    assert lock.coverage["npm"]["reason"] == "npm: took longer than 0.3 seconds"
    assert lock.coverage["locale"] == {"status": "ok"}
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_claims_that_fail_are_a_gap(tmp_path):
    def failing(_context: Context) -> Claims:
        raise KeyError("surprise")

    owner = replace(collector("deb", good), sections=("deb", "locale"), claims=failing)
    lock = coverage(tmp_path, owner, collector("gem", broken), depth=Depth.FULL)
    assert lock.coverage["deb"]["status"] == "partial"
    assert "KeyError: 'surprise'" in lock.coverage["deb"]["reason"]


def test_the_first_of_two_records_stays(tmp_path):
    lock = coverage(tmp_path, collector("user", twice))
    assert lock.get("user", "root") == {"uid": "0"}
    assert lock.coverage["user"]["reason"] == "user root: is listed twice"


class NoCache:
    """A stat cache that knows nothing and remembers which files were read for their digests."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self.read: set[str] = set()

    def get(self, _key: StatKey) -> None:
        return None

    def put(self, key: StatKey, _hashes: Hashes) -> None:
        self.read.add(key.path.removeprefix(self._root))

    def mark_clean(self, _path: str, _sha256: str, _verdict: int) -> None:
        return None

    def forget(self, _path: str) -> None:
        return None

    def is_clean(self, _path: str, _sha256: str, _verdict: int) -> bool:
        return False


SITE = "/opt/app/lib/python3.12/site-packages"


@pytest.fixture
def root(tmp_path):
    compiled = tmp_path / SITE[1:] / "m/__pycache__"
    compiled.mkdir(parents=True)
    for name in ("m.pyc", "kept.pyc", "../m.py", "../../../../../data"):
        (compiled / name).write_text(name)
    info = tmp_path / SITE[1:] / "m-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: m\nVersion: 1\n")
    (info / "RECORD").write_text(f"m/m.py,sha256={'A' * 43},4\n")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/app.conf").write_text("x = 1\n")
    return tmp_path


def test_what_is_read_for_the_configuration(root, captured):
    """Settings and libraries, but nothing that was compiled from them, unless it was asked for."""
    cache = NoCache(root)
    taken = captured(root, cache=cache, depth=Depth.CONFIG, files=("**/kept.pyc",))
    found, read = taken.lock.sections["file"], cache.read
    kept = f"{SITE}/m/__pycache__/kept.pyc"
    edited = f"{SITE}/m/m.py"
    assert {"/etc/app.conf", kept, edited} <= read
    assert not {f"{SITE}/m/__pycache__/m.pyc", "/opt/app/lib/data"} & read
    assert found.keys() == {"/etc/app.conf", kept, edited}
    assert found[kept]["sha256"] == hashlib.sha256(b"kept.pyc").hexdigest()


def test_some_sections_only_need_some_files(root, captured):
    """Nothing else is read, and no file has a record of its own."""
    cache = NoCache(root)
    lock = captured(root, cache=cache, depth=Depth.RECORDS, only=frozenset({"python"})).lock
    assert lock.sections.keys() == {"python"}
    (edited,) = (f for key, f in lock.sections["python"].items() if key.endswith("/m"))
    assert edited["edited-files"] == "1"
    assert f"{SITE}/m/m.py" in cache.read
    assert "/etc/app.conf" not in cache.read
    assert lock.coverage["file"] == {"status": "skipped"}
    cache = NoCache(root)
    other = captured(root, cache=cache, depth=Depth.RECORDS, only=frozenset({"go"}))
    assert other.lock.sections == {}
    assert cache.read == set()


def test_folders_in_folders_in_folders(tmp_path, captured):
    """As deep as a path can be, which is deeper than Python goes."""
    root, back = tmp_path / "root", os.getcwd()
    root.mkdir()
    os.chdir(root)
    try:
        for _ in range(1500):
            os.mkdir("d")
            os.chdir("d")
        Path("tool").write_text("#!/bin/sh\n")
        Path("tool").chmod(0o755)
        os.chdir(back)
        first = captured(root)
        assert f"{'/d' * 1500}/tool" in {row.entry.path for row in first.tree.rows}
        assert captured(root).lock == first.lock
    finally:
        os.chdir(back)
        subprocess.run(["rm", "-rf", root], check=True)
