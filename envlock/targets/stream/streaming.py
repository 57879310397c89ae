"""Targets that are seen as streams of tar members: exported containers, image layers.

Nothing is unpacked.  One pass hashes every file while it streams by; small files that collectors
declared are kept in memory; what travels by value goes to the writer that the plan gives.
"""

from __future__ import annotations

import errno
import hashlib
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from queue import Queue
from threading import Event, Thread
from typing import BinaryIO, NamedTuple

from envlock.errors import TargetError
from envlock.model.process import ProcessConfig
from envlock.model.text import sort_key
from envlock.model.tree import Entry, EntryType
from envlock.targets.base import READ_LIMIT, Capability, ContentWriter, ScanPlan
from envlock.targets.stream.tar_reader import Member, members

RETAIN_LIMIT = 16 * 1024 * 1024
"""Largest file, in bytes, that is kept in memory for collectors."""

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_LINK_LIMIT = 40
_AHEAD = 8


class Seen(NamedTuple):
    """What passes have shown so far: entries and the content of small files, by path."""

    entries: dict[str, Entry]
    contents: dict[str, bytes]


class StreamingTarget:
    """Base of the streaming targets.

    A subclass gives `_layers` (the whole tree, lowest layer first, each as chunks of a tar) and
    `_fetch` (one path and what lies below it).  Before a scan only what was preloaded is known,
    and what `_peek` can tell of the names in the root.
    """

    is_streaming = True
    walks_first = False
    capabilities = frozenset({Capability.FILES, Capability.ENVIRON})

    def __init__(self, reference: str) -> None:
        self.reference = reference
        self._seen = Seen({}, {})
        self._is_scanned = False

    def _layers(self) -> Iterator[Iterable[bytes]]:
        """Yield the layers of the tree, lowest first."""
        raise NotImplementedError

    def _fetch(self, path: str) -> Iterator[Member]:
        """Yield the members of one path, absolute paths; nothing when it is not there."""
        raise NotImplementedError

    def _peek(self, path: str) -> Entry | None:
        """Return a path of the root folder without its content, or None."""
        raise NotImplementedError

    def process(self) -> ProcessConfig | None:
        """Return the run configuration."""
        raise NotImplementedError

    def close(self) -> None:
        """Release what is held."""

    def preload(self, patterns: Iterable[str]) -> None:
        """Fetch files and directories, following links, so that they can be read before a scan."""
        for path in roots_of(patterns):
            real = self._resolve(path, follow=True)
            if real not in self._seen.entries:
                self._remember(self._fetch(real))

    def _remember(self, found: Iterable[Member]) -> None:
        for entry, chunks in found:
            self._seen.entries[entry.path] = entry
            if entry.type is EntryType.FILE and entry.size <= RETAIN_LIMIT:
                self._seen.contents[entry.path] = b"".join(chunks)

    def scan(self, plan: ScanPlan) -> Iterator[Entry]:
        """Read the whole stream once; see `envlock.targets.base.Target.scan`."""
        self._seen = self._pass(plan)
        self._is_scanned = True
        for entry in self._seen.entries.values():
            is_pruned = plan.prune is not None and plan.prune.match(entry.path)
            if not (is_pruned or plan.elsewhere.hold(entry.path)):
                yield entry
        plan.on_walk_finished()

    def _pass(self, plan: ScanPlan) -> Seen:
        """Read every layer once and return the tree they make."""
        whole = Seen({}, {})
        for layer in self._layers():
            fresh = Seen({}, {})
            for entry, chunks in members(prefetch(layer), self.reference):
                if _whiteout(entry.path, whole):
                    continue
                done, content = _read(entry, chunks, plan)
                fresh.entries[done.path] = done
                if content is not None:
                    fresh.contents[done.path] = content
            _elect(fresh)
            _merge(whole, fresh)
        _elect(whole)
        whole.entries.setdefault("/", Entry("/", EntryType.DIRECTORY, 0o755))
        return whole

    def stat(self, path: str) -> Entry:
        """Return one path, its final link not followed."""
        return self._entry(self._resolve(path, follow=False))

    def names(self, path: str) -> tuple[str, ...]:
        """Return the sorted names in a directory."""
        real = self._resolve(path, follow=True)
        prefix = real.rstrip("/") + "/"
        start = len(prefix)
        found = {
            known[start:]
            for known in self._seen.entries
            if known.startswith(prefix) and "/" not in known[start:] and len(known) > start
        }
        if not found:
            entry = self._entry(real)
            if entry.type is not EntryType.DIRECTORY:
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
        kept = self._seen.contents.get(entry.path)
        return io.BytesIO(kept) if kept is not None else self._open_again(entry.path)

    def _open_again(self, path: str) -> BinaryIO:
        spool = tempfile.SpooledTemporaryFile(max_size=RETAIN_LIMIT)  # noqa: SIM115  returned
        for entry, chunks in self._fetch(path):
            if entry.path == path and entry.type is EntryType.FILE:
                for chunk in chunks:
                    spool.write(chunk)
                spool.seek(0)
                return spool  # type: ignore[return-value]  # it is one in all that is used
        spool.close()
        raise FileNotFoundError(errno.ENOENT, "gone since it was seen", path)

    def _entry(self, path: str) -> Entry:
        entry = self._seen.entries.get(path)
        if entry is None and not self._is_scanned and path.count("/") == 1:
            entry = self._peek(path)
            if entry is not None:
                self._seen.entries[path] = entry
        if entry is None:
            raise FileNotFoundError(errno.ENOENT, "no such file or directory", path)
        return entry

    def _resolve(self, path: str, *, follow: bool) -> str:
        done = ""
        todo = [part for part in reversed(path.split("/")) if part]
        links = 0
        while todo:
            part = todo.pop()
            if part in (".", ".."):
                done = done.rpartition("/")[0] if part == ".." else done
                continue
            entry = self._known(f"{done}/{part}")
            if entry is None or entry.type is not EntryType.SYMLINK or not (todo or follow):
                done = f"{done}/{part}"
                continue
            links += 1
            if links > _LINK_LIMIT:
                raise OSError(errno.ELOOP, "loop of symbolic links", path)
            if entry.target.startswith("/"):
                done = ""
            todo.extend(piece for piece in reversed(entry.target.split("/")) if piece)
        return done or "/"

    def _known(self, path: str) -> Entry | None:
        try:
            return self._entry(path)
        except FileNotFoundError:
            return None


def roots_of(patterns: Iterable[str]) -> tuple[str, ...]:
    """Return the files that patterns name and the directories that they look into, sorted.

    >>> roots_of(("/etc/passwd", "/etc/apt/*.d/*", "**/x"))
    ('/etc/apt', '/etc/passwd')
    """
    found = set()
    for pattern in patterns:
        head, star, _ = pattern.partition("*")
        found.add(head.rpartition("/")[0] if star else pattern)
    return tuple(sorted(found - {""}))


def prefetch(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield `chunks`, read a few ahead by a thread, so that hashing and waiting overlap."""
    queue: Queue[bytes | BaseException | None] = Queue(_AHEAD)
    stop = Event()

    def produce() -> None:
        try:
            for chunk in chunks:
                queue.put(chunk)
                if stop.is_set():
                    return
            queue.put(None)
        except BaseException as error:  # noqa: BLE001  it is raised again where it is waited for
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


def _read(entry: Entry, chunks: Iterator[bytes], plan: ScanPlan) -> tuple[Entry, bytes | None]:
    """Hash one member on its way to where it is wanted; return it with content if retained."""
    if entry.type is not EntryType.FILE:
        return entry, None
    retained: list[bytes] | None = None
    if entry.size <= RETAIN_LIMIT and plan.retain(entry.path):
        retained = []
    if not (plan.digest and plan.hashes(entry.path)):
        return entry, b"".join(chunks) if retained is not None else None
    hashes = [hashlib.sha256()]
    second = plan.second(entry.path)
    if second:
        hashes.append(hashlib.new(second, usedforsecurity=False))
    sinks: list[Callable[[bytes], object]] = [digest.update for digest in hashes]
    if retained is not None:
        sinks.append(retained.append)
    _pour(chunks, sinks, plan.keep(entry))
    plan.on_progress(1, entry.size)
    named = {digest.name: digest.hexdigest() for digest in hashes}
    done = entry._replace(
        sha256=named["sha256"], md5=named.get("md5", ""), sha1=named.get("sha1", "")
    )
    return done, None if retained is None else b"".join(retained)


def _pour(
    chunks: Iterator[bytes], sinks: list[Callable[[bytes], object]], writer: ContentWriter | None
) -> None:
    if writer is None:
        for chunk in chunks:
            for sink in sinks:
                sink(chunk)
        return
    try:
        _pour(chunks, [*sinks, writer.write], None)
    except BaseException:
        writer.abort()
        raise
    writer.close()


def _whiteout(path: str, seen: Seen) -> bool:
    """Apply a whiteout (OCI image-spec, layer.md) to the layers below; tell if it was one."""
    folder, _, name = path.rpartition("/")
    if not name.startswith(_WHITEOUT):
        return False
    hidden = f"{folder}/{name.removeprefix(_WHITEOUT)}"
    prefix = f"{folder}/" if name == _OPAQUE else f"{hidden}/"
    _remove([k for k in seen.entries if k == hidden or k.startswith(prefix)], seen)
    return True


def _merge(below: Seen, fresh: Seen) -> None:
    """Put one layer over those below; what is no directory any more hides what was in it."""
    _remove([path for path in fresh.entries if path in below.entries], below, fresh.entries)
    below.entries.update(fresh.entries)
    below.contents.update(fresh.contents)


def _remove(paths: Iterable[str], seen: Seen, instead: Mapping[str, Entry] | None = None) -> None:
    """Take paths away; hard links whose file goes keep its content under the first of them."""
    entries = seen.entries
    gone = set(paths)
    for path in tuple(gone):
        over = (instead or {}).get(path)
        if entries[path].type is EntryType.DIRECTORY and not (
            over and over.type is EntryType.DIRECTORY
        ):
            gone.update(known for known in entries if known.startswith(f"{path}/"))
    orphans: dict[str, list[str]] = {}
    for path, entry in entries.items():
        if entry.type is EntryType.HARDLINK and entry.target in gone and path not in gone:
            orphans.setdefault(entry.target, []).append(path)
    for owner, links in orphans.items():
        heir = min(links, key=sort_key)
        for link in links:
            entries[link] = entries[link]._replace(target=heir)
        entries[heir] = entries[owner]._replace(path=heir)
        if owner in seen.contents:
            seen.contents[heir] = seen.contents[owner]
    for path in gone:
        del entries[path]
        seen.contents.pop(path, None)


def _elect(seen: Seen) -> None:
    """Make the first name of each hard-linked file, in byte order, the file itself."""
    entries, contents = seen
    groups: dict[str, list[str]] = {}
    for path, entry in entries.items():
        if entry.type is EntryType.HARDLINK:
            groups.setdefault(_owner(entry, entries), []).append(path)
    for owner, links in groups.items():
        file = entries.get(owner)
        if file is None or file.type is not EntryType.FILE:
            raise TargetError("a hard link to nothing", where=links[0])
        first = min((owner, *links), key=sort_key)
        link = file._replace(
            type=EntryType.HARDLINK, target=first, size=0, sha256="", md5="", sha1=""
        )
        for path in (owner, *links):
            entries[path] = link._replace(path=path)
        entries[first] = file._replace(path=first)
        if owner in contents:
            contents[first] = contents[owner]


def _owner(entry: Entry, entries: dict[str, Entry]) -> str:
    for _ in range(_LINK_LIMIT):
        target = entries.get(entry.target)
        if target is None or target.type is not EntryType.HARDLINK:
            break
        entry = target
    return entry.target
