"""Artifacts are fetched from the first source that has the locked file."""

from __future__ import annotations

from pathlib import Path

import pytest

from envlock.errors import SourceError
from envlock.materialize.artifacts.fetch import Fetched, fetch
from envlock.materialize.artifacts.kinds.deb import Deb
from envlock.materialize.artifacts.sources.directory import DirectorySource
from tests.unit.materialize.packages import digest

GOOD = b"the locked file"
A = Deb("a", "1", "all", "a", digest(GOOD))
B = Deb("b", "1", "all", "b", digest(b"b"))
UNKNOWN = Deb("c", "1", "all", "c")


class Scripted:
    """A source with prepared answers: artifact -> content, or an error for every question."""

    def __init__(self, name, answers=None, *, error=None, is_local=False):
        self.name = name
        self.is_local = is_local
        self._answers = answers
        self._error = error
        self.asked = []

    def fetch(self, wanted, into):
        self.asked.append(list(wanted))
        if self._error:
            raise self._error
        if self._answers is None:
            raise AssertionError(f"{self.name} must not be asked")
        found = {}
        for artifact in wanted:
            if artifact in self._answers:
                found[artifact] = into / artifact.filename
                found[artifact].write_bytes(self._answers[artifact])
        return found


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def files(cache):
    return {path.name: path.read_bytes() for path in cache.iterdir()}


def test_each_source_is_asked_for_what_the_earlier_ones_lack(cache):
    first, second = Scripted("first", {A: GOOD}), Scripted("second", {B: b"b"})
    got = fetch([A, B, UNKNOWN], [first, second], cache, offline=False)
    assert (first.asked, second.asked) == ([[A, B, UNKNOWN]], [[B, UNKNOWN]])
    paths = {A: cache / "a_1_all.deb", B: cache / "b_1_all.deb"}
    assert got == Fetched(paths, 2, (UNKNOWN,), ())
    assert files(cache) == {"a_1_all.deb": GOOD, "b_1_all.deb": b"b"}


def test_no_source_is_asked_when_nothing_is_missing(cache):
    got = fetch([A], [Scripted("first", {A: GOOD}), Scripted("never")], cache, offline=False)
    assert got.missing == ()
    assert fetch([], [Scripted("never")], cache, offline=False) == Fetched({}, 0, (), ())


def test_a_file_with_another_digest_is_taken_from_the_next_source(cache):
    bad, good = Scripted("bad", {A: b"something else"}), Scripted("good", {A: GOOD})
    got = fetch([A], [bad, good], cache, offline=False)
    assert got.paths[A].read_bytes() == GOOD
    assert got.downloaded == 1
    assert got.complaints == ("bad: deb a:all 1 is not the locked file",)


def test_a_wrong_file_is_not_kept(cache):
    got = fetch([A], [Scripted("bad", {A: b"something else"})], cache, offline=False)
    assert got.missing == (A,)
    assert files(cache) == {}


def test_a_file_without_a_locked_digest_is_taken(cache):
    got = fetch([UNKNOWN], [Scripted("any", {UNKNOWN: b"whatever"})], cache, offline=False)
    assert got.paths[UNKNOWN].read_bytes() == b"whatever"


def test_a_source_that_fails_does_not_stop_the_others(cache):
    broken = Scripted("broken", error=SourceError("apt-get update failed: no route to host"))
    got = fetch([A], [broken, Scripted("good", {A: GOOD})], cache, offline=False)
    assert [*got.paths] == [A]
    assert got.complaints == ("broken: apt-get update failed: no route to host",)


def test_offline_only_local_sources_are_asked(cache, tmp_path):
    (tmp_path / "a_1_all.deb").write_bytes(GOOD)
    sources = [Scripted("network"), DirectorySource(name="here", path=tmp_path)]
    got = fetch([A], sources, cache, offline=True)
    assert got == Fetched({A: tmp_path / "a_1_all.deb"}, 0, (), ())


def test_a_file_of_a_directory_stays_there(cache, tmp_path):
    here = tmp_path / "here"
    here.mkdir()
    (here / "a_1_all.deb").write_bytes(b"something else")
    got = fetch([A], [DirectorySource(name="here", path=here)], cache, offline=False)
    assert got.missing == (A,)
    assert (here / "a_1_all.deb").read_bytes() == b"something else"
    (here / "a_1_all.deb").write_bytes(GOOD)
    got = fetch([A], [DirectorySource(name="here", path=here)], cache, offline=False)
    assert (got.paths, got.downloaded) == ({A: Path(here, "a_1_all.deb")}, 0)
    assert files(cache) == {}
