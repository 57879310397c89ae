"""What is known of a layer of an image, so that it is read in part, or not at all.

A layer that was read before is told again, member by member, as reading it would.  Where something
is asked for that is not known, such as the content of a secret file, it is read up to the last
member that is needed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Protocol, runtime_checkable

from envlock.errors import TargetError
from envlock.model.tree import Entry, EntryType
from envlock.targets.base import ScanPlan, Target
from envlock.targets.stream.layers import is_whiteout
from envlock.targets.stream.streaming import RETAIN_LIMIT, Read, Room, read_member

CHECKED_BYTES = 4 * 1024 * 1024
"""After so many bytes of a layer, as it is pulled, a digest of all before is known."""


class KnownLayer:
    """What is known of a layer.

    `entries` are its members in their order; a file whose content must be read has no digest.
    `unread` are files whose digest nobody asked for, with the digest that their package states,
    which is another one, or nothing.  `checks` are the SHA-256 (hex) of
    the first 4 MiB, 8 MiB and so on of the layer as it is pulled.
    """

    def __init__(
        self, entries: Sequence[Entry], unread: Mapping[str, str], checks: Sequence[str]
    ) -> None:
        self.entries = tuple(entries)
        self.unread = dict(unread)
        self.checks = tuple(checks)

    @cached_property
    def paths(self) -> frozenset[str]:
        """The paths of all members."""
        return frozenset(entry.path for entry in self.entries)


class LayerMemory(Protocol):
    """What is known of layers, by the digest of each."""

    def layer(self, digest: str) -> KnownLayer | None:
        """Return what is known of a layer, None where that is nothing."""

    def content(self, entry: Entry) -> bytes | None:
        """Return the content of a file whose digest is known, None where it is not kept."""

    def note(self, digest: str, layer: KnownLayer) -> None:
        """Take what was read of a layer: all digests, also those that must not be kept."""

    def fetched(self, path: str) -> None:
        """Take that a file was fetched by itself, which takes as long as all of its layer."""


@runtime_checkable
class LayeredTarget(Target, Protocol):
    """A target of layers with a digest each, which may be known."""

    def remember_in(self, memory: LayerMemory | None) -> None:
        """Ask `memory` for layers before they are read, and tell it of those that were."""

    def content_of(self, path: str) -> bytes | None:
        """Return the content of a file that was kept for collectors, None for any other."""


class Checked:
    """The pieces of a layer as it is pulled; `passed` are the digests so far."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._hash = hashlib.sha256()
        self._taken = 0
        self.passed: list[str] = []

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        piece = next(self._pieces)
        left = memoryview(piece)
        while left:
            part = left[: CHECKED_BYTES - self._taken % CHECKED_BYTES]
            left = left[len(part) :]
            self._hash.update(part)
            self._taken += len(part)
            if self._taken % CHECKED_BYTES == 0:
                self.passed.append(self._hash.hexdigest())
        return piece

    def is_beginning(self, checks: Sequence[str]) -> bool:
        """Read on until everything that was taken is checked; return False when it is wrong.

        At the end of the layer nothing is left to do: what it is pulled by verifies the whole.
        """
        wanted = -(-self._taken // CHECKED_BYTES) * CHECKED_BYTES
        while self._taken < wanted:
            if next(self, None) is None:
                return True
        return self.passed == list(checks[: len(self.passed)])


def told_again(
    known: KnownLayer,
    plan: ScanPlan,
    room: Room,
    content: Callable[[Entry], bytes | None],
    read: Callable[[Collection[str]], Iterable[Read]],
) -> Iterator[Read]:
    """Yield the members of a known layer as reading it would.

    `content` is that of `LayerMemory`; `read` reads the members at some paths from the layer.
    """
    found = [_told(entry, plan, room, content, known.unread) for entry in known.entries]
    missing = {known.entries[at].path: at for at, each in enumerate(found) if each is None}
    if missing:
        for each in read(missing.keys()):
            found[missing[each[0].path]] = each
    for told, entry in zip(found, known.entries, strict=True):
        if told is None:
            raise TargetError(
                "a layer lacks what was in it before", where=entry.path, hint="use --full"
            )
        yield told


def with_new_digests(known: KnownLayer, read: Iterable[Entry]) -> KnownLayer:
    """Return what is known of a layer once some files of it were read again."""
    new = {entry.path: entry for entry in read if entry.sha256}
    entries = (_joined(entry, new.get(entry.path)) for entry in known.entries)
    unread = {path: stated for path, stated in known.unread.items() if path not in new}
    return KnownLayer(tuple(entries), unread, known.checks)


def _joined(entry: Entry, read: Entry | None) -> Entry:
    if read is None:
        return entry
    md5, sha1 = read.md5 or entry.md5, read.sha1 or entry.sha1
    return entry._replace(sha256=read.sha256, md5=md5, sha1=sha1)


def _told(
    entry: Entry,
    plan: ScanPlan,
    room: Room,
    content: Callable[[Entry], bytes | None],
    unread: Collection[str],
) -> Read | None:
    """Return a member as reading it would, None when it must be read."""
    if entry.type is not EntryType.FILE or is_whiteout(entry.path):
        return entry, None
    if not entry.size:
        return read_member(entry, iter(()), plan, room)
    retained = None
    if entry.size <= min(RETAIN_LIMIT, room.left) and plan.retain(entry.path):
        retained = content(entry) if entry.sha256 else None
        if retained is None:
            return None
    if not (plan.digest and plan.hashes(entry.path)):
        told = entry._replace(sha256="", md5="", sha1="")
    elif not entry.sha256:
        return (entry, None) if entry.path in unread else None
    else:
        algorithm = plan.second_algorithm(entry.path)
        if algorithm and not getattr(entry, algorithm):
            return None
        if plan.watch(entry) is not None:
            return None
        plan.on_progress(1, entry.size)
        told = entry._replace(
            md5=entry.md5 if algorithm == "md5" else "",
            sha1=entry.sha1 if algorithm == "sha1" else "",
        )
    room.left -= len(retained or b"")
    return told, retained
