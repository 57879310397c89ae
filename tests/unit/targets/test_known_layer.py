"""A known layer is read only as far as it must be, and what is read of it is verified."""

from __future__ import annotations

import hashlib
import io
import random
import tarfile
from collections.abc import Iterator
from dataclasses import replace

import pytest

from envlock.errors import RegistryError
from envlock.model.tree import Entry
from envlock.targets.base import ScanPlan
from envlock.targets.stream.known_layer import CHECKED_BYTES, Checked, KnownLayer
from envlock.targets.stream.layer_shelf import LayerShelf
from envlock.targets.stream.registry import PulledLayer, RegistryTarget

PIECE = 1 << 20
LARGE = random.Random(1).randbytes(5 * CHECKED_BYTES)
"""A file that is larger than what is checked at once."""


def layer() -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for path, content in (("a/first", b"one"), ("b/large", LARGE), ("c/last", b"last")):
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return raw.getvalue()


CONTENT = layer()
DIGEST = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


class Pulls:
    """A repository of one blob that counts what is pulled; `content` may be wrong."""

    def __init__(self, content: bytes = CONTENT) -> None:
        self._content = content
        self.pulled = 0

    def blob(self, digest: str, size: int) -> Iterator[bytes]:
        for at in range(0, size, PIECE):
            self.pulled += PIECE
            yield self._content[at : at + PIECE]
        if f"sha256:{hashlib.sha256(self._content).hexdigest()}" != digest:
            raise RegistryError(f"blob {digest} does not match its digest")

    def close(self) -> None:
        return None


class Memory:
    """A memory of that layer, of which some digests are not kept."""

    def __init__(self, known: KnownLayer | None = None) -> None:
        self.known = known
        self.noted: KnownLayer | None = None

    def layer(self, _digest: str) -> KnownLayer | None:
        return self.known

    def content(self, _entry: Entry) -> bytes | None:
        return None

    def note(self, _digest: str, layer: KnownLayer) -> None:
        self.noted = layer

    def fetched(self, path: str) -> None:
        raise AssertionError(path)


def scanned(pulls: Pulls, memory: Memory) -> list[Entry]:
    source = PulledLayer(pulls, LayerShelf(0), DIGEST, len(CONTENT))  # type: ignore[arg-type]
    target = RegistryTarget("x", [source], {}, pulls, "sha256:0", LayerShelf(0))  # type: ignore[arg-type]
    target.remember_in(memory)
    return sorted(target.scan(ScanPlan()))


@pytest.fixture(scope="module")
def whole() -> KnownLayer:
    memory = Memory()
    scanned(Pulls(), memory)
    assert memory.noted is not None
    return memory.noted


def without(known: KnownLayer, *paths: str) -> KnownLayer:
    entries = [e._replace(sha256="") if e.path in paths else e for e in known.entries]
    return KnownLayer(entries, known.unread, known.checks)


def test_nothing_is_pulled_of_what_is_known(whole: KnownLayer) -> None:
    pulls, memory = Pulls(), Memory(whole)
    assert scanned(pulls, memory) == scanned(Pulls(), Memory())
    assert pulls.pulled == 0
    assert memory.noted is None


def test_it_is_read_up_to_what_is_needed(whole: KnownLayer) -> None:
    pulls, memory = Pulls(), Memory(without(whole, "/a/first"))
    assert scanned(pulls, memory) == scanned(Pulls(), Memory())
    assert pulls.pulled == CHECKED_BYTES
    assert memory.noted is not None
    assert memory.noted.entries == whole.entries
    pulls = Pulls()
    assert scanned(pulls, Memory(without(whole, "/c/last"))) == scanned(Pulls(), Memory())
    assert pulls.pulled >= len(CONTENT)


@pytest.mark.parametrize("place", [600, PIECE + 5, CHECKED_BYTES - 1])
def test_wrong_bytes_are_refused_in_a_part_as_well(whole: KnownLayer, place: int) -> None:
    wrong = bytearray(CONTENT)
    wrong[place] ^= 1
    with pytest.raises(RegistryError, match="does not match"):
        scanned(Pulls(bytes(wrong)), Memory(without(whole, "/a/first")))


def test_what_was_taken_is_checked_and_no_more() -> None:
    pieces = [b"a" * (CHECKED_BYTES - 1), b"bc" * 10, b"d" * CHECKED_BYTES, b"e"]
    full = Checked(pieces)
    assert list(full) == pieces
    assert len(full.passed) == 2
    some = Checked(iter(pieces))
    next(some)
    assert some.is_beginning(full.passed)
    assert len(some.passed) == 1
    other = Checked(iter([b"x", *pieces]))
    next(other)
    assert not other.is_beginning(full.passed)
    short = Checked(iter([b"ab"]))
    next(short)
    assert short.is_beginning(full.passed), "the end of a layer is verified where it is pulled"


def test_a_plan_that_asks_for_more_reads_more(whole: KnownLayer) -> None:
    pulls = Pulls()
    source = PulledLayer(pulls, LayerShelf(0), DIGEST, len(CONTENT))  # type: ignore[arg-type]
    target = RegistryTarget("x", [source], {}, pulls, "sha256:0", LayerShelf(0))  # type: ignore[arg-type]
    target.remember_in(Memory(whole))
    plan = replace(ScanPlan(), wants_md5=lambda path: path == "/a/first")
    found = {entry.path: entry.md5 for entry in target.scan(plan)}
    assert found["/a/first"] == hashlib.md5(b"one").hexdigest()
    assert pulls.pulled == CHECKED_BYTES
