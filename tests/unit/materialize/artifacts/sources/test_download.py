"""Downloads go on where they were cut, are polite to hosts, and give up on those that fail."""

from __future__ import annotations

import resource
import time

import pytest

from envlock.errors import SourceError, StoreError
from envlock.materialize.artifacts.fetch import Offer, fetch
from envlock.materialize.artifacts.kinds.deb import Deb
from envlock.materialize.artifacts.sources.archive import ArchiveSource
from envlock.materialize.artifacts.sources.base import UnreachableSourceError
from envlock.materialize.artifacts.sources.download import (
    LARGEST_ANSWER,
    MOST_FAILURES,
    MOST_RESUMES,
    Downloads,
)
from tests.registry.conftest import free_port
from tests.registry.debian import mirror
from tests.registry.faults import Reply
from tests.unit.materialize.packages import digest

CONTENT = bytes(range(256)) * 2000


@pytest.fixture
def folder(tmp_path):
    served = tmp_path / "served"
    served.mkdir()
    (served / "file").write_bytes(CONTENT)
    return served


def downloads(**options):
    return Downloads(**{"sleep": lambda _seconds: None, "rate": 1000.0, **options})


def got(path, url, **options):
    assert downloads(**options).file(url, path)
    return path.read_bytes()


def test_a_file_and_what_is_not_there(folder, tmp_path):
    with mirror(folder) as (url, seen):
        assert got(tmp_path / "x", f"{url}/file") == CONTENT
        assert downloads().file(f"{url}/other", tmp_path / "y") is False
        assert downloads().document(f"{url}/other") is None
        assert downloads().document(f"{url}/file") == CONTENT
    assert seen[0].headers["User-Agent"].startswith("envlock/")


def test_a_cut_file_goes_on_where_it_was_cut(folder, tmp_path):
    def cut(question, ask):
        return ask()._replace(cut=100_000) if len(seen) <= 3 else ask()

    with mirror(folder, cut) as (url, seen):
        assert got(tmp_path / "x", f"{url}/file") == CONTENT
    starts = [question.headers.get("Range") for question in seen]
    assert starts == [None, "bytes=100000-", "bytes=200000-", "bytes=300000-"]


def test_a_server_that_knows_no_ranges_sends_the_whole_again(folder, tmp_path):
    def whole(question, ask):
        return Reply(200, {}, CONTENT, cut=100_000 if len(seen) == 1 else None)

    with mirror(folder, whole) as (url, seen):
        assert got(tmp_path / "x", f"{url}/file") == CONTENT


def test_another_part_than_was_asked_for_is_refused(folder, tmp_path):
    def lie(question, ask):
        if len(seen) == 1:
            return ask()._replace(cut=100_000)
        return Reply(206, {"Content-Range": f"bytes 5-{len(CONTENT) - 1}/{len(CONTENT)}"}, CONTENT)

    with (
        mirror(folder, lie) as (url, seen),
        pytest.raises(SourceError, match="another part than was asked for"),
    ):
        downloads().file(f"{url}/file", tmp_path / "x")


def test_a_file_that_is_cut_for_ever_is_given_up(folder, tmp_path):
    with mirror(folder, lambda _question, ask: ask()._replace(cut=10)) as (url, seen):
        with pytest.raises(SourceError, match="ends early"):
            downloads().file(f"{url}/file", tmp_path / "x")
        assert len(seen) == MOST_RESUMES + 1
    with mirror(folder, lambda _question, ask: ask()._replace(cut=0)) as (url, seen):
        with pytest.raises(SourceError, match="ends early"):
            downloads().file(f"{url}/file", tmp_path / "y")
        assert len(seen) == 1


def test_a_server_says_how_long_to_wait(folder, tmp_path):
    def busy(question, ask):
        return Reply(429, {"Retry-After": "7"}, b"") if len(seen) < 3 else ask()

    waits = []
    with mirror(folder, busy) as (url, seen):
        assert got(tmp_path / "x", f"{url}/file", sleep=waits.append) == CONTENT
    assert [wait for wait in waits if wait] == [7.0, 7.0]


def test_a_host_that_fails_is_not_asked_for_ever(folder, tmp_path):
    with mirror(folder, lambda _question, _ask: Reply(503, {}, b"")) as (url, seen):
        asked = downloads()
        for _ in range(MOST_FAILURES):
            with pytest.raises(SourceError, match="it answered 503"):
                asked.file(f"{url}/file", tmp_path / "x")
        before = len(seen)
        with pytest.raises(SourceError, match="not asked any more after 3 failures"):
            asked.file(f"{url}/file", tmp_path / "x")
        assert len(seen) == before


def test_nothing_answers(tmp_path):
    with pytest.raises(UnreachableSourceError, match=r"does not answer: .*refused"):
        downloads().document(f"http://127.0.0.1:{free_port()}/x")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.org/x", "http://"])
def test_only_web_addresses_are_asked(url, tmp_path):
    with pytest.raises(SourceError, match="not an address of http"):
        downloads().file(url, tmp_path / "x")


def test_a_file_of_the_largest_size_and_above(folder, tmp_path):
    with mirror(folder) as (url, _):
        assert got(tmp_path / "x", f"{url}/file", largest=len(CONTENT)) == CONTENT
        with pytest.raises(SourceError, match="more than 511,999 bytes"):
            downloads(largest=len(CONTENT) - 1).file(f"{url}/file", tmp_path / "y")


def test_an_answer_of_the_largest_size_and_above(folder):
    (folder / "most").write_bytes(bytes(LARGEST_ANSWER))
    (folder / "more").write_bytes(bytes(LARGEST_ANSWER + 1))
    with mirror(folder) as (url, _):
        assert len(downloads().document(f"{url}/most")) == LARGEST_ANSWER
        with pytest.raises(SourceError, match="too large"):
            downloads().document(f"{url}/more")


def test_one_host_gets_no_more_than_its_rate(folder):
    waits = []
    with mirror(folder) as (url, _):
        asked = Downloads(rate=4.0, clock=lambda: 0.0, sleep=waits.append)
        for _ in range(8):
            asked.document(f"{url}/file")
    assert waits == [0.0] * 5 + [0.25, 0.5, 0.75]


def test_the_rate_holds_by_the_clock(folder):
    with mirror(folder) as (url, _):
        asked = Downloads(rate=20.0)
        started = time.monotonic()
        for _ in range(10):
            asked.document(f"{url}/file")
        assert time.monotonic() - started >= 0.24


def test_a_disk_that_is_full_is_told_and_nothing_is_left(folder, tmp_path):
    """A limit on the size of files stands for a full disk: both are told alike."""
    artifact = Deb("file", "1", "all", "file", digest(CONTENT))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with mirror(folder) as (url, _):
        source = ArchiveSource(template=f"{url}/{{name}}", downloads=downloads())
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
        try:
            with pytest.raises(StoreError, match="disk of the store is full"):
                fetch([artifact], [Offer(source)], tmp_path / "cache", offline=False)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert list((tmp_path / "cache").iterdir()) == []
        done = fetch([artifact], [Offer(source)], tmp_path / "cache", offline=False)
    assert done.paths[artifact].read_bytes() == CONTENT
