"""What a collector is told of paths that are missing, in the way, or cut by a loss of power."""

from __future__ import annotations

from contextlib import closing

import pytest

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.engine import capture
from envlock.capture.request import Request
from envlock.model.coverage import Gap, Status
from envlock.model.depth import Depth
from envlock.model.record import Record
from envlock.targets.base import ScanPlan
from envlock.targets.local.filesystem import LocalTarget


@pytest.fixture(params=["scanned", "not scanned"])
def context(request, tmp_path):
    with closing(LocalTarget(tmp_path, "dir:root", is_host=False)) as target:

        def make():
            is_scanned = request.param == "scanned"
            index = {e.path: e for e in target.scan(ScanPlan(jobs=1))} if is_scanned else {}
            return Context(target, index)

        yield make


def test_what_is_not_there_is_no_gap(context, tmp_path):
    (tmp_path / "etc").mkdir()
    seen = context()
    assert seen.read("/etc/none") is None
    assert seen.read("/none/at/all") is None
    assert seen.names("/var/lib/none") == ()
    assert (seen.gaps, seen.found_something) == ([], False)


def test_a_link_to_nothing_is_a_gap(context, tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/file").symlink_to("gone")
    (tmp_path / "db").symlink_to("elsewhere")
    seen = context()
    assert seen.read("/etc/file") is None
    assert seen.read("/db/status") is None
    assert seen.names("/db") == ()
    assert seen.gaps == [
        Gap("/etc/file", "a link to nothing"),
        Gap("/db", "a link to nothing"),
        Gap("/db", "a link to nothing"),
    ]
    assert seen.found_something


def test_a_link_to_what_exists_on_a_running_machine_only_is_no_gap(context, tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/resolv.conf").symlink_to("../run/systemd/resolve/stub-resolv.conf")
    (tmp_path / "etc/mtab").symlink_to("/proc/self/mounts")
    seen = context()
    assert seen.read("/etc/resolv.conf") is None
    assert seen.read("/etc/mtab") is None
    assert seen.gaps == []


def test_a_file_where_a_folder_is_expected_is_a_gap(context, tmp_path):
    (tmp_path / "var").mkdir()
    (tmp_path / "var/lib").write_text("not a folder\n")
    seen = context()
    assert seen.read("/var/lib/dpkg/status") is None
    assert seen.names("/var/lib") == ()
    assert {*seen.gaps} == {Gap("/var/lib", "not a folder")}


def test_a_folder_where_a_file_is_expected_is_a_gap(context, tmp_path):
    (tmp_path / "status").mkdir()
    seen = context()
    assert seen.read("/status") is None
    assert seen.gaps == [Gap("/status", "is a directory")]


def test_text_ends_at_a_zero_byte_with_a_gap(context, tmp_path):
    (tmp_path / "status").write_bytes(b"Package: a\n" + bytes(4096))
    (tmp_path / "cut").write_text("one\ntw")
    seen = context()
    assert seen.text("/status") == "Package: a\n"
    assert seen.written("/cut") == "one\ntw"
    assert seen.gaps == [
        Gap("/status", "damaged: a zero byte at 11; the rest is not read"),
        Gap("/cut", "damaged: it ends in the middle of a line"),
    ]


@pytest.mark.parametrize(
    "record",
    [
        Record("deb", "", {"version": "1"}),
        Record("apk", "a", {"version": "1"}),
        Record("deb", "half a \ud800", {"version": "1"}),
        Record("deb", "number", {"version": 1}),
    ],
    ids=["no key", "another section", "no text", "no fact as text"],
)
def test_a_record_that_no_lock_can_hold_is_a_gap(tmp_path, record):
    (tmp_path / "file").write_text("x")

    def collect(seen):
        yield Record("deb", "good", {"version": seen.text("/file")})
        yield record

    collector = Collector(name="deb", sections=("deb",), reads=("/*",), collect=collect)
    with closing(LocalTarget(tmp_path, "dir:root", is_host=False)) as target:
        found = capture(target, [collector], Request(depth=Depth.RECORDS, jobs=1))
    assert found.lock.sections["deb"] == {"good": {"version": "x"}}
    assert [gap.where for gap in found.coverage["deb"].gaps] == ["/file"]


def test_whatever_is_wrong_in_a_collector_is_a_gap_that_says_where(tmp_path):
    """Its records until then are kept, and those of the others."""
    for name in ("one", "two"):
        (tmp_path / name).write_text(name)

    def collect(seen):
        yield Record("deb", seen.text("/one"), {"version": "1"})
        seen.read("/two")
        raise KeyError("surprise")

    def claims(seen):
        raise RecursionError(seen.text("/one"))

    def other(seen):
        yield Record("apk", seen.text("/undeclared") or "", {"version": "1"})

    collectors = [
        Collector(name="deb", sections=("deb",), reads=("/*",), collect=collect, claims=claims),
        Collector(name="apk", sections=("apk",), reads=(), collect=other),
    ]
    with closing(LocalTarget(tmp_path, "dir:root", is_host=False)) as target:
        found = capture(target, collectors, Request(depth=Depth.CONFIG, jobs=1))
    assert found.lock.sections["deb"] == {"one": {"version": "1"}}
    assert found.coverage["deb"].status is Status.PARTIAL
    where, reason = zip(*found.coverage["deb"].gaps, strict=True)
    assert where == ("/two", "/one")
    assert "KeyError: 'surprise'" in reason[0]
    assert "RecursionError: one" in reason[1]
    assert found.coverage["apk"].status is Status.UNREADABLE
    assert "/undeclared" in found.coverage["apk"].gaps[0].reason
