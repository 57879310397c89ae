"""What goes wrong in one collector is a gap of that collector and costs the others nothing."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

from envlock.capture.engine import capture
from envlock.capture.request import Depth, Request
from envlock.capture.spec import Collector
from envlock.capture.view import View
from envlock.model.record import Record
from envlock.target import hashing
from envlock.target.local import directory

READS = ("/etc/*",)


def collector(name, collect):
    return Collector(name=name, sections=(name,), reads=READS, collect=collect)


def good(view: View) -> Iterator[Record]:
    view.read("/etc/good")
    yield Record("locale", "", {"lang": "C"})


def broken(view: View) -> Iterator[Record]:
    yield Record("gem", "one", {"version": "1"})
    raise KeyError("surprise")


def slow(view: View) -> Iterator[Record]:
    yield Record("npm", "one", {"version": "1"})
    while True:
        time.sleep(0.05)
        view.read("/etc/good")


def twice(view: View) -> Iterator[Record]:
    yield Record("user", "root", {"uid": "0"})
    yield Record("user", "root", {"uid": "1"})


def coverage(tmp_path: Path, *collectors: Collector, timeout: float = 60):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/good").touch()
    captured = capture(
        directory(tmp_path), collectors, Request(depth=Depth.RECORDS, timeout=timeout)
    )
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


def test_the_first_of_two_records_stays(tmp_path):
    lock = coverage(tmp_path, collector("user", twice))
    assert lock.get("user", "root") == {"uid": "0"}
    assert lock.coverage["user"]["reason"] == "user root: stands there twice"


def test_what_is_read_for_the_configuration(tmp_path, captured, monkeypatch):
    """Settings and libraries, but nothing that was compiled from them, unless it was asked for."""
    read = []
    answer = hashing.answer

    def told(jobs):
        read.extend(path.decode().removeprefix(str(tmp_path)) for path, _ in jobs)
        return answer(jobs)

    monkeypatch.setattr(hashing, "answer", told)
    compiled = tmp_path / "opt/app/lib/python3.12/site-packages/m/__pycache__"
    compiled.mkdir(parents=True)
    for name in ("m.pyc", "kept.pyc", "../m.py", "../../../../../data"):
        (compiled / name).write_text(name)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/app.conf").write_text("x = 1\n")
    found = captured(tmp_path, depth=Depth.CONFIG, files=("**/kept.pyc",)).lock.sections["file"]
    folder = "/opt/app/lib/python3.12/site-packages/m"
    kept = f"{folder}/__pycache__/kept.pyc"
    assert sorted(read) == ["/etc/app.conf", kept, f"{folder}/m.py"]
    assert found.keys() == {"/etc/app.conf", kept}
    assert found[kept]["sha256"] == hashlib.sha256(b"kept.pyc").hexdigest()
