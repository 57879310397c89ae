"""Base of the targets that are read as streams of tar members: containers, image layers.

Nothing is unpacked.  One pass hashes every file as it arrives; small files that collectors declared
stay in memory; content that the lock holds by value goes to a writer from the plan.
"""

from __future__ import annotations

import errno
import hashlib
import io
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from queue import Queue
from threading import Event, Thread
from typing import BinaryIO

from envlock.errors import TargetError
from envlock.model.process import ProcessConfig
from envlock.model.text import sort_key
from envlock.model.tree import Entry, EntryType
from envlock.targets.base import READ_LIMIT, Capability, ContentWriter, ScanPlan
from envlock.targets.stream.file_tree import FileTree, resolve
from envlock.targets.stream.layers import (
    Hidden,
    choose_first_names,
    is_whiteout,
    merge,
    remove,
)
from envlock.targets.stream.linked_paths import LinkedPaths
from envlock.targets.stream.tar_reader import DEFAULT_LIMITS, Member, TarLimits, members

RETAIN_LIMIT = 16 * 1024 * 1024
"""Largest file, in bytes, that is kept in memory for collectors."""
RETAIN_TOTAL = 1 << 30
"""Most bytes that are kept in memory for collectors; what exceeds them is fetched again."""

_LINK_ROUNDS = 4
"""Most times that links are followed out of what was fetched."""
_QUEUED = 8
"""Chunks that are read ahead."""


Read = tuple[Entry, bytes | None]
"""What was read of a member: its entry, and the content if that is kept for collectors."""


class Room:
    """How many bytes may still be kept in memory for collectors: `left`."""

    def __init__(self, left: int) -> None:
        self.left = left


class StreamingTarget:
    """Base of the streaming targets.

    A subclass implements `_layers` (the whole tree, lowest layer first, each as chunks of a tar)
    and `_fetch` (one path and everything below it).  Before a scan only preloaded files are known,
    and the names in the root directory that `_stat_in_root` finds.
    """

    is_streaming = True
    walks_before_reading = False
    capabilities = frozenset({Capability.FILES, Capability.ENVIRON})

    def programs(self) -> frozenset[str] | None:
        """Return None, for it cannot be told; a target of what is only stored returns nothing."""
        return None

    def __init__(
        self,
        reference: str,
        limits: TarLimits = DEFAULT_LIMITS,
        retain_total: int = RETAIN_TOTAL,
    ) -> None:
        self.reference = reference
        self._limits = limits
        self._retain_total = retain_total
        self._tree = FileTree()
        self._is_scanned = False
        self._repeated: set[str] = set()  # paths that a layer names more than once

    def _layers(self) -> Iterator[Iterable[bytes]]:
        """Yield the layers of the tree, lowest first."""
        raise NotImplementedError

    def _fetch(self, path: str) -> Iterator[Member]:
        """Yield the members of one path, with absolute paths; none when it does not exist."""
        raise NotImplementedError

    def _stat_in_root(self, path: str) -> Entry | None:
        """Return the entry of a name in the root directory, None when it does not exist."""
        raise NotImplementedError

    def process(self) -> ProcessConfig | None:
        """Return the run configuration."""
        raise NotImplementedError

    def close(self) -> None:
        """Release connections.  May be called twice."""

    def preload(self, patterns: Iterable[str]) -> None:
        """Fetch files and directories, links followed, so that they can be read before a scan."""
        wanted = (*literal_roots(patterns := tuple(patterns)), *patterns)
        fetched: set[str] = set()
        for _ in range(_LINK_ROUNDS):
            found = LinkedPaths(self._tree, self._known).find(wanted, also_real=True)
            missing = {
                path
                for path in found - self._tree.entries.keys()
                if not any(path == known or path.startswith(f"{known}/") for known in fetched)
            }
            if not missing:
                break
            fetched |= missing
            self._fetch_all(sorted(missing, key=sort_key))

    def _fetch_all(self, paths: Iterable[str]) -> None:
        """Fetch paths, each with everything below it."""
        for path in paths:
            if path not in self._tree.entries:
                self._store(self._fetch(path))

    def _fetch_each(self, paths: Iterable[str]) -> Iterator[Member]:
        """Yield the members of several paths."""
        for path in paths:
            yield from self._fetch(path)

    def _store(self, found: Iterable[Member]) -> None:
        room = self._room()
        for entry, chunks in found:
            self._tree.entries[entry.path] = entry
            if entry.type is EntryType.FILE and entry.size <= min(RETAIN_LIMIT, room):
                self._tree.contents[entry.path] = b"".join(chunks)
                room -= entry.size

    def _room(self) -> int:
        """Return how many bytes may still be kept in memory for collectors."""
        return self._retain_total - sum(map(len, self._tree.contents.values()))

    def scan(self, plan: ScanPlan) -> Iterator[Entry]:
        """Read the whole stream once; see `envlock.targets.base.Target.scan`."""
        linked = self._linked_files(plan)  # as far as links are known before
        retain = plan.retain
        self._tree = self._read_layers(
            replace(plan, retain=lambda path: path in linked or retain(path))
        )
        self._is_scanned = True
        missing = self._linked_files(plan) - self._tree.contents.keys()
        left = self._room()
        for entry, chunks in self._fetch_each(sorted(missing, key=sort_key)) if missing else ():
            left -= entry.size
            if entry.path in missing and left > 0:  # any other is fetched when it is asked for
                self._tree.contents[entry.path] = b"".join(chunks)
        for entry in self._tree.entries.values():
            is_pruned = plan.prune is not None and plan.prune.match(entry.path)
            if not (is_pruned or plan.other_environments.matches(entry.path)):
                yield entry
        plan.on_walk_finished()

    def _read_layers(self, plan: ScanPlan) -> FileTree:
        """Read every layer once and return the tree they add up to."""
        whole = FileTree()
        for layer in self._layers_read(plan, Room(self._retain_total)):
            upper = FileTree()
            hidden = Hidden(set(), set())
            for done, content in layer:
                if hidden.add(done.path):
                    continue
                if done.path in upper.entries:
                    self._repeated.add(done.path)
                upper.entries[done.path] = done
                if content is not None:
                    upper.contents[done.path] = content
            remove(hidden.paths(whole.entries), whole)
            choose_first_names(upper, whole)
            merge(whole, upper)
            if len(whole.entries) > self._limits.members:
                raise TargetError(f"more than {self._limits.members:,} paths", where=self.reference)
        choose_first_names(whole)
        whole.entries.setdefault("/", Entry("/", EntryType.DIRECTORY, 0o755))
        return whole

    def _layers_read(self, plan: ScanPlan, room: Room) -> Iterator[Iterable[Read]]:
        """Yield what was read of each layer, lowest first; each ends before the next begins."""
        for layer in self._layers():
            yield read_members(prefetch(layer), self.reference, plan, room, self._limits)

    def _linked_files(self, plan: ScanPlan) -> set[str]:
        """Return the small files that the declared paths lead to through links."""
        entries, files = self._tree.entries, set()
        for path in LinkedPaths(self._tree).find(plan.reads):
            entry = entries.get(path)
            if entry is not None and entry.type is EntryType.HARDLINK:
                entry = entries.get(entry.target)
            if entry is not None and entry.type is EntryType.FILE and entry.size <= RETAIN_LIMIT:
                files.add(entry.path)
        return files

    def stat(self, path: str) -> Entry:
        """Return one path, its final link not followed."""
        return self._entry(self._resolve(path, follow=False))._replace(path=path)

    def names(self, path: str) -> tuple[str, ...]:
        """Return the sorted names in a directory."""
        real = self._resolve(path, follow=True)
        found = self._tree.children(real)
        if not found and self._entry(real).type is not EntryType.DIRECTORY:
            raise NotADirectoryError(errno.ENOTDIR, "not a directory", path)
        return tuple(sorted(found, key=sort_key))

    def read(self, path: str, limit: int = READ_LIMIT) -> bytes:
        """Return the content of a file of at most `limit` bytes."""
        with self.open(path) as stream:
            content = stream.read(limit + 1)
        if len(content) > limit:
            raise OSError(errno.EFBIG, "too large", path)
        return content

    def open(self, path: str) -> BinaryIO:
        """Open a regular file: from memory, else by fetching it again."""
        real = self._resolve(path, follow=True)
        entry = self._entry(real)
        if entry.type is EntryType.HARDLINK:
            entry = self._entry(entry.target)
        if entry.type is EntryType.DIRECTORY:
            raise IsADirectoryError(errno.EISDIR, "is a directory", path)
        if entry.type is not EntryType.FILE:
            raise OSError(errno.EINVAL, "not a regular file", path)
        content = self._tree.contents.get(entry.path)
        return io.BytesIO(content) if content is not None else self._fetch_content(entry.path)

    def _fetch_content(self, path: str) -> BinaryIO:
        spool = tempfile.SpooledTemporaryFile(max_size=RETAIN_LIMIT)  # noqa: SIM115  returned
        try:
            for entry, chunks in self._fetch(path):
                if entry.path == path and entry.type is EntryType.FILE:
                    for chunk in chunks:
                        spool.write(chunk)
                    spool.seek(0)
                    return spool  # type: ignore[return-value]  # it has all methods that are used
        except BaseException:
            spool.close()
            raise
        spool.close()
        raise FileNotFoundError(errno.ENOENT, "vanished during the capture", path)

    def _entry(self, path: str) -> Entry:
        entry = self._tree.entries.get(path)
        if entry is None and not self._is_scanned and path.count("/") == 1:
            entry = self._stat_in_root(path)
            if entry is not None:
                self._tree.entries[path] = entry
        if entry is None:
            raise FileNotFoundError(errno.ENOENT, "no such file or directory", path)
        return entry

    def _resolve(self, path: str, *, follow: bool) -> str:
        return resolve(path, self._known, follow=follow)

    def _known(self, path: str) -> Entry | None:
        try:
            return self._entry(path)
        except FileNotFoundError:
            return None


def literal_roots(patterns: Iterable[str]) -> tuple[str, ...]:
    """Return the paths and directories that globs name before their first star, sorted.

    >>> literal_roots(("/etc/passwd", "/etc/apt/*.d/*", "**/x"))
    ('/etc/apt', '/etc/passwd')
    """
    found = set()
    for pattern in patterns:
        head, star, _ = pattern.partition("*")
        found.add(head.rpartition("/")[0] if star else pattern)
    return tuple(sorted(found - {""}))


def prefetch(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield `chunks`, a few read ahead by a thread, so that hashing and I/O overlap."""
    queue: Queue[bytes | BaseException | None] = Queue(_QUEUED)
    stop = Event()

    def produce() -> None:
        try:
            for chunk in chunks:
                queue.put(chunk)
                if stop.is_set():
                    return
            queue.put(None)
        except BaseException as error:  # noqa: BLE001  raised again by the consumer
            queue.put(error)

    thread = Thread(target=produce, daemon=True)
    thread.start()
    try:
        while (item := queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        while thread.is_alive():
            while not queue.empty():
                queue.get_nowait()
            thread.join(0.05)


def read_members(
    chunks: Iterable[bytes],
    where: str,
    plan: ScanPlan,
    room: Room,
    limits: TarLimits = DEFAULT_LIMITS,
    only: Collection[str] | None = None,
) -> Iterator[Read]:
    """Yield what was read of each member of a layer, or of those at the paths `only`."""
    for entry, content in members(chunks, where, limits):
        if only is not None and entry.path not in only:
            continue
        if is_whiteout(entry.path):
            yield entry, None
            continue
        yield read_member(entry, content, plan, room)


def read_member(entry: Entry, chunks: Iterator[bytes], plan: ScanPlan, room: Room) -> Read:
    """Read one member; return its entry with digests, and the content if it is kept.

    It is kept for collectors while there is `room` for it.
    """
    done, retained = _read(entry, chunks, plan, room.left)
    room.left -= len(retained or b"")
    return done, retained


def _read(entry: Entry, chunks: Iterator[bytes], plan: ScanPlan, room: int) -> Read:
    """Hash one member and pass its content on."""
    if entry.type is not EntryType.FILE:
        return entry, None
    retained: list[bytes] | None = None
    if entry.size <= min(RETAIN_LIMIT, room) and plan.retain(entry.path):
        retained = []
    if not (plan.digest and plan.hashes(entry.path)):
        return entry, b"".join(chunks) if retained is not None else None
    hashes = [hashlib.sha256()]
    second = plan.second_algorithm(entry.path)
    if second:
        hashes.append(hashlib.new(second, usedforsecurity=False))
    sinks: list[Callable[[bytes], object]] = [digest.update for digest in hashes]
    if retained is not None:
        sinks.append(retained.append)
    watcher = plan.watch(entry)
    if watcher is not None:
        sinks.append(watcher.write)
    _copy(chunks, sinks, plan.writer_for(entry))
    plan.on_progress(1, entry.size)
    named = {digest.name: digest.hexdigest() for digest in hashes}
    if watcher is not None:
        watcher.close(named["sha256"])
    done = entry._replace(
        sha256=named["sha256"], md5=named.get("md5", ""), sha1=named.get("sha1", "")
    )
    return done, None if retained is None else b"".join(retained)


def _copy(
    chunks: Iterator[bytes], sinks: list[Callable[[bytes], object]], writer: ContentWriter | None
) -> None:
    if writer is None:
        for chunk in chunks:
            for sink in sinks:
                sink(chunk)
        return
    try:
        _copy(chunks, [*sinks, writer.write], None)
    except BaseException:
        writer.abort()
        raise
    writer.close()
