"""Artifacts are fetched from the first source that has the locked file."""

from __future__ import annotations

import errno
import threading
from pathlib import Path

import pytest

from envlock.errors import SourceError, StoreError
from envlock.materialize.artifacts.fetch import Offer, Place
from envlock.materialize.artifacts.fetch import fetch as fetch_offers
from envlock.materialize.artifacts.kinds.deb import Deb
from envlock.materialize.artifacts.kinds.wheel import Wheel
from envlock.materialize.artifacts.sources.base import NothingListedError, UnreachableSourceError
from envlock.materialize.artifacts.sources.cache import CacheSource
from envlock.materialize.artifacts.sources.directory import DirectorySource
from tests.unit.materialize.packages import digest

GOOD = b"the locked file"
A = Deb("a", "1", "all", "a", digest(GOOD))
B = Deb("b", "1", "all", "b", digest(b"b"))
UNKNOWN = Deb("c", "1", "all", "c")


def fetch(wanted, sources, cache, *, offline=False):
    """Fetch from sources that may have any kind, unless they are offers already."""
    offers = [each if isinstance(each, Offer) else Offer(each) for each in sources]
    return fetch_offers(wanted, offers, cache, offline=offline)


class Scripted:
    """A source with prepared answers: artifact -> content, or an error for every question."""

    def __init__(self, name, answers=None, *, error=None, is_local=False):
        self.name = name
        self.is_local = is_local
        self._answers = answers
        self._error = error
        self.asked = []

    def fetch(self, wanted, into, tell):
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
    assert (got.paths, got.downloaded, got.missing) == (paths, 2, (UNKNOWN,))
    assert got.places == (Place("first", "", ()), Place("second", "", ()))
    assert files(cache) == {"a_1_all.deb": GOOD, "b_1_all.deb": b"b"}


def test_no_source_is_asked_when_nothing_is_missing(cache):
    got = fetch([A], [Scripted("first", {A: GOOD}), Scripted("never")], cache, offline=False)
    assert got.missing == ()
    assert fetch([], [Scripted("never")], cache, offline=False).places == ()


def test_a_file_with_another_digest_is_taken_from_the_next_source(cache):
    bad, good = Scripted("bad", {A: b"something else"}), Scripted("good", {A: GOOD})
    got = fetch([A], [bad, good], cache, offline=False)
    assert got.paths[A].read_bytes() == GOOD
    assert got.downloaded == 1
    assert got.places[0].said == ("deb a:all 1 is another file than the locked one",)


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
    assert got.places[0].said == ("apt-get update failed: no route to host",)


def test_offline_only_local_sources_are_asked(cache, tmp_path):
    (tmp_path / "a_1_all.deb").write_bytes(GOOD)
    sources = [Scripted("network"), DirectorySource(name="here", path=tmp_path)]
    got = fetch([A], sources, cache, offline=True)
    assert (got.paths, got.downloaded) == ({A: tmp_path / "a_1_all.deb"}, 0)
    assert [place.name for place in got.places] == ["here"]


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


def test_the_sources_of_a_kind_are_asked_for_that_kind_only(cache):
    wheel = Wheel("w", "1", "w-1-py3-none-any.whl", "3")
    debs, wheels = Scripted("debs", {A: GOOD}), Scripted("wheels", {wheel: b"w"})
    offers = [Offer(debs, "deb"), Offer(wheels, "wheel")]
    got = fetch([wheel, A], offers, cache)
    assert (debs.asked, wheels.asked) == ([[A]], [[wheel]])
    assert got.places == (Place("debs", "deb", ()), Place("wheels", "wheel", ()))


def test_different_kinds_are_asked_at_the_same_time(cache):
    """Each of two sources waits for the other to be asked."""
    wheel = Wheel("w", "1", "w-1-py3-none-any.whl", "3")
    both = threading.Barrier(2, timeout=20)

    class Waiting(Scripted):
        def fetch(self, wanted, into, tell):
            both.wait()
            return super().fetch(wanted, into, tell)

    offers = [
        Offer(Waiting("debs", {A: GOOD}), "deb"),
        Offer(Waiting("wheels", {wheel: b"w"}), "wheel"),
    ]
    assert fetch([wheel, A], offers, cache).downloaded == 2


def test_without_a_network_there_is_one_reason(cache):
    def dead(name):
        return Scripted(name, error=UnreachableSourceError(f"{name} does not answer"))

    local = Scripted("local", {}, is_local=True)
    got = fetch([A, B], [local, dead("one"), dead("two")], cache)
    assert got.no_network == "one does not answer"
    assert got.missing == (A, B)
    assert fetch([A], [dead("one"), Scripted("alive", {})], cache).no_network == ""
    assert fetch([A], [local], cache).no_network == ""
    unasked = Scripted("apt", error=NothingListedError("its indexes do not list it"))
    assert fetch([A], [unasked, dead("one")], cache).no_network == "one does not answer"
    assert fetch([A], [unasked], cache).no_network == ""


def test_what_a_source_says_is_kept_short_and_without_passwords(cache):
    class Talking(Scripted):
        def fetch(self, wanted, into, tell):
            for number in range(9):
                tell(f"line {number}\nE: http://anna:hunter2hunter2@example.org/x\n")
            return {}

    (place,) = fetch([A], [Talking("apt")], cache).places
    assert place.said[0] == "line 0"
    assert "hunter2" not in " ".join(place.said)
    assert place.said[-1] == "and 5 more lines"


def test_two_distributions_may_have_other_files_under_one_name(cache):
    other = A._replace(sha256=digest(b"of another distribution"))
    scripted = Scripted("net", {A: GOOD, other: b"of another distribution"})
    for artifact in (A, other):
        fetch([artifact], [CacheSource(path=cache), scripted], cache)
    got = fetch([A, other], [CacheSource(path=cache), Scripted("never")], cache)
    assert got.paths[A].read_bytes() == GOOD
    assert got.paths[other].read_bytes() == b"of another distribution"


def test_one_new_file_may_be_that_of_two_artifacts(cache):
    """A wheel of which one interpreter states the digest and the other does not."""
    plain = A._replace(sha256="")
    got = fetch([A, plain], [Scripted("net", {A: GOOD, plain: GOOD})], cache)
    assert got.paths == {A: cache / A.filename, plain: cache / A.filename}
    assert got.downloaded == 1


def test_a_file_without_a_digest_replaces_none_that_has_one(cache):
    fetch([A], [Scripted("net", {A: GOOD})], cache)
    plain = A._replace(sha256="")
    got = fetch([plain], [Scripted("net", {plain: b"other"})], cache)
    assert got.paths[plain].read_bytes() == b"other"
    assert (cache / A.filename).read_bytes() == GOOD


def test_a_full_disk_is_told_as_that(cache):
    class Full(Scripted):
        def fetch(self, wanted, into, tell):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(StoreError, match="the disk of the store is full"):
        fetch([A], [Full("net")], cache)
    assert list(cache.iterdir()) == []
