"""The scan of a remote machine: listings level by level, then the content of many files at once.

As on this machine, the walk stays on one file system and does not touch mounts that may hang.
Content that collectors will read is fetched before the walk is finished.  All other content is
hashed by the remote side, and is sent only where the plan has a writer for it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from envlock.model.stat import Hashes, StatKey
from envlock.model.text import sort_key
from envlock.model.tree import Entry, EntryType
from envlock.targets.base import IGNORED, ContentWriter, ScanPlan
from envlock.targets.mounts import MOUNTINFO, is_reportable, may_hang, parse_mountinfo
from envlock.targets.remote.conversation import FileReply, batches_of
from envlock.targets.remote.remote_files import UNBOUNDED, PathStatus, RemoteFiles
from envlock.targets.remote.ssh_remote import CONTENT, MD5, SHA1, SHA256
from envlock.targets.stream.streaming import RETAIN_LIMIT

_PATH_LIMIT = 8192
_SECOND = {"": 0, "md5": MD5, "sha1": SHA1}
_HEX = re.compile(r"[0-9a-f]{64} (?:[0-9a-f]{32}|[0-9a-f]{40})?\Z")


class _Request(NamedTuple):
    """A file to read: what to compute or send, and where its content goes."""

    file: PathStatus
    flags: int
    write: Callable[[bytes], object] | None = None
    writer: ContentWriter | None = None

    @property
    def path(self) -> str:
        """The path of the file."""
        return self.file.entry.path


class RemoteScan:
    """One scan of a remote machine by one plan."""

    def __init__(self, remote: RemoteFiles, plan: ScanPlan) -> None:
        self._remote = remote
        self._conversation = remote.conversation
        self._plan = plan
        self._mounts: Mapping[str, str] = {}
        self._links: dict[tuple[int, int], list[str]] = {}

    def entries(self) -> Iterator[Entry]:
        """Yield every path, then the files again with their digests."""
        files = []
        self._find_mounts()
        for found in self._walk():
            if found.entry.type is not EntryType.FILE:
                yield found.entry
                continue
            files.append(found)
            if found.links > 1:
                names = self._links.setdefault((found.key.dev, found.key.ino), [])
                names.append(found.entry.path)
        files = [file for file in files if self._is_first_name(file)]
        self._retain(files)
        for file in files:
            yield from self._with_links(file.entry, file)
        self._plan.on_walk_finished()
        for entry, file in self._digested(files):
            yield next(self._with_links(entry, file))

    def _find_mounts(self) -> None:
        raw = b""
        with suppress(OSError):
            raw = self._remote.read(MOUNTINFO)
        self._mounts = {point: kind for point, kind in parse_mountinfo(raw).items() if point != "/"}
        for path, kind in sorted(self._mounts.items()):
            if is_reportable(path, kind):
                self._plan.on_gap(path, f"another file system ({kind}), not entered")

    def _walk(self) -> Iterator[PathStatus]:
        skip = sorted(path for path, kind in self._mounts.items() if may_hang(kind))
        self._conversation.request({"do": "stat", "paths": ["/"]})
        for value in self._conversation.reply():
            yield self._remote.parse_row("/", value[2] if len(value) == 3 else None)
        level = ["/"]
        while level:
            requests = ({"do": "list", "paths": paths, "skip": skip} for paths in batches_of(level))
            deeper: list[str] = []
            found: list[PathStatus] = []
            for value in self._conversation.replies(requests):
                path, code, rows = self._remote.parse_listing(value)
                if code:
                    if code != errno.ENOENT:
                        self._plan.on_gap(path, _reason(code))
                    continue
                self._remote.store_names(path, rows)
                for row in rows:
                    found += self._child(f"{path.rstrip('/')}/{row[0]}", row, deeper)
            yield from found
            level = deeper

    def _child(self, path: str, row: list[Any], deeper: list[str]) -> Iterator[PathStatus]:
        plan = self._plan
        if len(path) > _PATH_LIMIT:
            raise self._conversation.unexpected_reply()
        if plan.prune is not None and plan.prune.match(path):
            plan.on_gap(path, IGNORED)
            return
        found = self._remote.parse_row(path, row)
        self._remote.store_entry(found.entry)
        is_entered = path not in self._mounts and found.entry.type is EntryType.DIRECTORY
        if is_entered and not plan.other_environments.matches(f"{path}/"):
            deeper.append(path)
        yield found

    def _names_of(self, file: PathStatus) -> Sequence[str]:
        names = self._links.get((file.key.dev, file.key.ino)) if file.links > 1 else None
        return names or (file.entry.path,)

    def _is_first_name(self, file: PathStatus) -> bool:
        return min(self._names_of(file), key=sort_key) == file.entry.path

    def _with_links(self, entry: Entry, file: PathStatus) -> Iterator[Entry]:
        """Yield the entry of a file, then its other names as hard links to it."""
        yield entry
        for name in self._names_of(file):
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

    def _retain(self, files: Iterable[PathStatus]) -> None:
        """Fetch the content that the plan retains."""
        parts: list[bytes] = []
        missing = (
            _Request(file, CONTENT, parts.append)
            for file in files
            if file.entry.size <= RETAIN_LIMIT
            and any(map(self._plan.retain, self._names_of(file)))
            and self._remote.content(file.entry.path) is None
        )
        for request, reply in self._read(missing, RETAIN_LIMIT):
            if not reply.errno:
                self._remote.store_content(request.path, b"".join(parts))
            parts.clear()

    def _digested(self, files: Iterable[PathStatus]) -> Iterator[tuple[Entry, PathStatus]]:
        """Yield each file that the plan wants digests of: cached, or computed here or there."""
        missing = []
        for file in files:
            entry = file.entry
            if not (self._plan.digest and self._plan.hashes(entry.path)):
                continue
            content = self._remote.content(entry.path) if entry.size else b""
            if content is not None and len(content) == entry.size:
                yield self._hash_here(entry, content), file
                continue
            cached = self._cached(file)
            if cached is None:
                missing.append(file)
                continue
            self._plan.on_progress(1, entry.size)
            yield entry._replace(**cached._asdict()), file
        # All replies are read before the first is yielded: the caller may send requests.
        yield from [
            (self._finish(request, reply), request.file)
            for request, reply in self._read(map(self._request, missing), UNBOUNDED)
        ]

    def _cached(self, file: PathStatus) -> Hashes | None:
        """Return the digests of a file from the stat cache, unless its content is wanted too."""
        known = self._plan.cache.get(file.key) if self._plan.cache else None
        if known is None or known.lacks(self._plan.second_algorithm(file.entry.path)):
            return None
        writer = self._plan.writer_for(file.entry)
        if writer is not None:
            writer.abort()
            return None
        return known

    def _request(self, file: PathStatus) -> _Request:
        flags = SHA256 | _SECOND[self._plan.second_algorithm(file.entry.path)]
        writer = self._plan.writer_for(file.entry)
        if writer is None:
            return _Request(file, flags)
        return _Request(file, flags | CONTENT, writer.write, writer)

    def _hash_here(self, entry: Entry, content: bytes) -> Entry:
        writer = self._plan.writer_for(entry)
        if writer is not None:
            if content:
                writer.write(content)
            writer.close()
        self._plan.on_progress(1, entry.size)
        second = self._plan.second_algorithm(entry.path)
        other = hashlib.new(second, content, usedforsecurity=False).hexdigest() if second else ""
        hashes = Hashes.of(hashlib.sha256(content).hexdigest(), other)
        return entry._replace(**hashes._asdict())

    def _finish(self, request: _Request, reply: FileReply) -> Entry:
        """Return a file with the digests in the reply; a gap when it could not be read."""
        entry = request.file.entry
        if reply.errno:
            if request.writer is not None:
                request.writer.abort()
            if reply.errno != errno.ENOENT:
                self._plan.on_gap(entry.path, _reason(reply.errno))
            return entry
        if not _HEX.match(f"{reply.sha256} {reply.second}"):
            raise self._conversation.unexpected_reply()
        if request.writer is not None:
            request.writer.close()
        hashes = Hashes.of(reply.sha256, reply.second)
        if self._plan.cache is not None:
            numbers = (reply.size, reply.mtime_ns, reply.ctime_ns)
            key = StatKey(*request.file.key[:3], *numbers)
            self._plan.cache.put(key, hashes)
        self._plan.on_progress(1, reply.size)
        return entry._replace(size=reply.size, **hashes._asdict())

    def _read(
        self, requests: Iterable[_Request], limit: int
    ) -> Iterator[tuple[_Request, FileReply]]:
        """Yield each request with its reply, after its content was written.

        On errors the writers of the requests without a reply are aborted.
        """
        pending: deque[_Request] = deque()

        def batches() -> Iterator[Mapping[str, object]]:
            for batch in batches_of(requests, lambda request: request.path):
                pending.extend(batch)
                files = [[request.path, request.flags] for request in batch]
                yield {"do": "read", "files": files, "limit": limit}

        def sink(piece: bytes) -> None:
            if pending and pending[0].write is not None:
                pending[0].write(piece)

        try:
            for value in self._conversation.replies(batches(), sink):
                reply = self._conversation.parse_file(value)
                if not pending or reply.path != pending[0].path:
                    raise self._conversation.unexpected_reply()
                yield pending[0], reply
                pending.popleft()
        finally:
            for request in pending:
                if request.writer is not None:
                    request.writer.abort()


def _reason(code: int) -> str:
    return {
        errno.EACCES: "permission denied",
        errno.EPERM: "permission denied",
        errno.ESTALE: "changed while it was read",
    }.get(code) or os.strerror(code)
