"""The walk of a far machine: names a level of folders at a time, then content many files at once.

As on this machine, the walk stays on one file system and does not touch mounts that may hang.
Content that collectors will read comes before the walk is called done; the rest is hashed at the
far side, and travels only where the plan keeps it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

from envlock.model.stat import Hashes, StatKey
from envlock.model.text import sort_key
from envlock.model.tree import Entry, EntryType
from envlock.targets.base import ContentWriter, ScanPlan
from envlock.targets.mounts import MOUNTINFO, is_worth_a_word, may_hang, parse_mountinfo
from envlock.targets.remote.conversation import BATCH_BYTES, Told
from envlock.targets.remote.remote import UNBOUNDED, FarTarget, Seen
from envlock.targets.remote.ssh_remote import CONTENT, MD5, SHA1, SHA256
from envlock.targets.stream.streaming import RETAIN_LIMIT

_T = TypeVar("_T")
_BATCH = 256
_PATH_LIMIT = 8192
_SECOND = {"": 0, "md5": MD5, "sha1": SHA1}
_HEX = re.compile(r"[0-9a-f]{64} (?:[0-9a-f]{32}|[0-9a-f]{40})?\Z")


class _Wanted(NamedTuple):
    """A file to read: what for, and where its content goes."""

    seen: Seen
    flags: int
    write: Callable[[bytes], object] | None = None
    writer: ContentWriter | None = None


class FarScan:
    """One walk over a far machine for one plan."""

    def __init__(self, target: FarTarget, plan: ScanPlan) -> None:
        self._target = target
        self._talk = target.talk
        self._plan = plan
        self._mounts: Mapping[str, str] = {}
        self._links: dict[tuple[int, int], list[str]] = {}

    def entries(self) -> Iterator[Entry]:
        """Yield every path, and then the files once more with their digests."""
        files = []
        self._find_mounts()
        for seen in self._walk():
            if seen.entry.type is not EntryType.FILE:
                yield seen.entry
                continue
            files.append(seen)
            if seen.links > 1:
                names = self._links.setdefault((seen.key.dev, seen.key.ino), [])
                names.append(seen.entry.path)
        files = [seen for seen in files if not self._is_later_name(seen)]
        self._retain(files)
        for seen in files:
            yield from self._named(seen.entry, seen)
        self._plan.on_walk_finished()
        for entry, seen in self._digested(files):
            yield next(self._named(entry, seen))

    def _find_mounts(self) -> None:
        raw = b""
        with suppress(OSError):
            raw = self._target.read(MOUNTINFO)
        self._mounts = {point: kind for point, kind in parse_mountinfo(raw).items() if point != "/"}
        for path, kind in sorted(self._mounts.items()):
            if is_worth_a_word(path, kind):
                self._plan.on_gap(path, f"another file system ({kind}), not entered")

    def _walk(self) -> Iterator[Seen]:
        skip = sorted(path for path, kind in self._mounts.items() if may_hang(kind))
        self._talk.ask({"do": "stat", "paths": ["/"]})
        for value in self._talk.answer():
            yield self._target.seen("/", value[2] if len(value) == 3 else None)
        level = ["/"]
        while level:
            requests = ({"do": "list", "paths": paths, "skip": skip} for paths in _batches(level))
            deeper: list[str] = []
            found: list[Seen] = []
            for value in self._talk.answers(requests):
                path, code, rows = self._target.rows(value)
                if code:
                    if code != errno.ENOENT:
                        self._plan.on_gap(path, _why(code))
                    continue
                self._target.learn_names(path, rows)
                for row in rows:
                    found += self._child(f"{path.rstrip('/')}/{row[0]}", row, deeper)
            yield from found
            level = deeper

    def _child(self, path: str, row: list[Any], deeper: list[str]) -> Iterator[Seen]:
        plan = self._plan
        if len(path) > _PATH_LIMIT:
            raise self._talk.nonsense()
        if plan.prune is not None and plan.prune.match(path):
            plan.on_gap(path, "ignored by configuration")
            return
        seen = self._target.seen(path, row)
        is_entered = path not in self._mounts and seen.entry.type is EntryType.DIRECTORY
        if is_entered and not plan.elsewhere.hold(f"{path}/"):
            deeper.append(path)
        yield seen

    def _names_of(self, seen: Seen) -> Sequence[str]:
        names = self._links.get((seen.key.dev, seen.key.ino)) if seen.links > 1 else None
        return names or (seen.entry.path,)

    def _is_later_name(self, seen: Seen) -> bool:
        return min(self._names_of(seen), key=sort_key) != seen.entry.path

    def _named(self, entry: Entry, seen: Seen) -> Iterator[Entry]:
        """Yield a file, then its other names as links to it."""
        yield entry
        for name in self._names_of(seen):
            if name != entry.path:
                yield entry._replace(
                    path=name,
                    type=EntryType.HARDLINK,
                    target=entry.path,
                    size=0,
                    sha256="",
                    md5="",
                    sha1="",
                )

    def _retain(self, files: Iterable[Seen]) -> None:
        """Fetch what collectors will read."""
        wanted = []
        for seen in files:
            is_small = seen.entry.size <= RETAIN_LIMIT
            if is_small and any(map(self._plan.retain, self._names_of(seen))):
                wanted.append(_Wanted(seen, CONTENT))
        parts: list[bytes] = []
        missing = (
            one._replace(write=parts.append)
            for one in wanted
            if not self._target.holds(one.seen.entry.path)
        )
        for one, told in self._read(missing, RETAIN_LIMIT):
            if not told.errno:
                self._target.retain(one.seen.entry.path, b"".join(parts))
            parts.clear()

    def _digested(self, files: Iterable[Seen]) -> Iterator[tuple[Entry, Seen]]:
        """Yield each file that the plan wants digests of, read here, there, or known before."""
        missing = []
        for seen in files:
            entry = seen.entry
            if not (self._plan.digest and self._plan.hashes(entry.path)):
                continue
            content = self._target.content(entry.path) if entry.size else b""
            if content is not None and len(content) == entry.size:
                yield self._hash_here(entry, content), seen
                continue
            known = self._known(seen)
            if known is None:
                missing.append(seen)
                continue
            self._plan.on_progress(1, entry.size)
            yield entry._replace(**known._asdict()), seen
        # All of it before any is told of: whoever is told may ask for content.
        yield from [
            (self._settle(one, told), one.seen)
            for one, told in self._read(map(self._wanted, missing), UNBOUNDED)
        ]

    def _known(self, seen: Seen) -> Hashes | None:
        """Return the digests of a file that is as it was, and whose content is not to be kept."""
        known = self._plan.cache.get(seen.key) if self._plan.cache else None
        if known is None or known.lacks(self._plan.second(seen.entry.path)):
            return None
        writer = self._plan.keep(seen.entry)
        if writer is not None:
            writer.abort()
            return None
        return known

    def _wanted(self, seen: Seen) -> _Wanted:
        flags = SHA256 | _SECOND[self._plan.second(seen.entry.path)]
        writer = self._plan.keep(seen.entry)
        if writer is None:
            return _Wanted(seen, flags)
        return _Wanted(seen, flags | CONTENT, writer.write, writer)

    def _hash_here(self, entry: Entry, content: bytes) -> Entry:
        writer = self._plan.keep(entry)
        if writer is not None:
            if content:
                writer.write(content)
            writer.close()
        self._plan.on_progress(1, entry.size)
        second = self._plan.second(entry.path)
        other = hashlib.new(second, content, usedforsecurity=False).hexdigest() if second else ""
        hashes = Hashes.of(hashlib.sha256(content).hexdigest(), other)
        return entry._replace(**hashes._asdict())

    def _settle(self, one: _Wanted, told: Told) -> Entry:
        """Return a file with what the far side computed; a gap when it could not be read."""
        entry = one.seen.entry
        if told.errno:
            if one.writer is not None:
                one.writer.abort()
            if told.errno != errno.ENOENT:
                self._plan.on_gap(entry.path, _why(told.errno))
            return entry
        if not _HEX.match(f"{told.sha256} {told.second}"):
            raise self._talk.nonsense()
        if one.writer is not None:
            one.writer.close()
        hashes = Hashes.of(told.sha256, told.second)
        if self._plan.cache is not None:
            numbers = (told.size, told.mtime_ns, told.ctime_ns)
            key = StatKey(*one.seen.key[:3], *numbers)
            self._plan.cache.put(key, hashes)
        self._plan.on_progress(1, told.size)
        return entry._replace(size=told.size, **hashes._asdict())

    def _read(self, wanted: Iterable[_Wanted], limit: int) -> Iterator[tuple[_Wanted, Told]]:
        """Yield what was told of each file, its content written before; abort writers on errors."""
        pending: deque[_Wanted] = deque()

        def requests() -> Iterator[Mapping[str, object]]:
            for batch in _batches(wanted, lambda one: one.seen.entry.path):
                pending.extend(batch)
                files = [[one.seen.entry.path, one.flags] for one in batch]
                yield {"do": "read", "files": files, "limit": limit}

        def sink(piece: bytes) -> None:
            if pending and pending[0].write is not None:
                pending[0].write(piece)

        try:
            for value in self._talk.answers(requests(), sink):
                told = self._talk.told(value)
                if not pending or told.path != pending[0].seen.entry.path:
                    raise self._talk.nonsense()
                yield pending[0], told
                pending.popleft()
        finally:
            for one in pending:
                if one.writer is not None:
                    one.writer.abort()


def _batches(items: Iterable[_T], path_of: Callable[[_T], str] = str) -> Iterator[list[_T]]:
    """Yield the items in lists that a request has room for."""
    batch: list[_T] = []
    size = 0
    for item in items:
        batch.append(item)
        path = path_of(item)
        # As JSON a character takes one byte, or up to twelve: two escapes.
        size += 16 + len(path) * (1 if path.isascii() and path.isprintable() else 12)
        if size >= BATCH_BYTES or len(batch) >= _BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _why(code: int) -> str:
    return {
        errno.EACCES: "permission denied",
        errno.EPERM: "permission denied",
        errno.ESTALE: "changed while it was read",
    }.get(code) or os.strerror(code)
