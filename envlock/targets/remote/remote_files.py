"""The files of a remote machine, read by `envlock.targets.remote.ssh_remote` at the other end.

What was fetched once stays in memory, and so do listings and errors, so that a question that was
answered before costs no round trip.
"""

from __future__ import annotations

import errno
import io
import os
import stat
import tempfile
from collections.abc import Callable, Iterable, Mapping
from typing import Any, BinaryIO, NamedTuple, TypeVar

from envlock.model.glob import compile_globs
from envlock.model.stat import StatKey
from envlock.model.text import sort_key
from envlock.model.tree import TYPE_OF_FORMAT, Entry, EntryType
from envlock.targets.base import READ_LIMIT
from envlock.targets.remote.conversation import Conversation, are_numbers
from envlock.targets.remote.ssh_remote import CONTENT, FOLLOW
from envlock.targets.stream.streaming import RETAIN_LIMIT, RETAIN_TOTAL

_T = TypeVar("_T")
_WORDS = {errno.EFBIG: "too large", errno.ELOOP: "loop of symbolic links"}
UNBOUNDED = 1 << 62
"""A limit in bytes that no file reaches."""


class PathStatus(NamedTuple):
    """One path as lstat(2) reports it: its entry, its key for the stat cache, number of links."""

    entry: Entry
    key: StatKey
    links: int


class RemoteFiles:
    """The files at the other end of a conversation."""

    def __init__(self, conversation: Conversation, retain_total: int = RETAIN_TOTAL) -> None:
        self.conversation = conversation
        self._room = retain_total
        """How many bytes may still be kept in memory."""
        self._preloaded: tuple[str, ...] = ()
        self._stats: dict[str, Entry | int] = {}
        self._names: dict[str, tuple[str, ...] | int] = {}
        self._contents: dict[str, bytes | int] = {}

    def preload(self, patterns: Iterable[str]) -> None:
        """Fetch the files that match the globs, and list their directories, in one round trip."""
        wanted = tuple(pattern for pattern in patterns if not pattern.startswith(("**", "/**")))
        self.conversation.request({"do": "match", "patterns": wanted, "limit": RETAIN_LIMIT})
        parts: list[bytes] = []
        is_cut = False
        for value in self.conversation.reply(parts.append):
            if len(value) == 1:
                is_cut = value != [False]
            elif len(value) == 3:
                self._store_listing(value)
            else:
                file = self.conversation.parse_file(value)
                self._contents[file.path] = file.errno or errno.EFBIG  # of one that is not kept
                if not file.errno:
                    self.store_content(file.path, b"".join(parts))
                parts.clear()
        if not is_cut:  # whatever the reply does not contain does not exist
            self._preloaded += tuple(pattern for pattern in wanted if "**" not in pattern)

    def content(self, path: str) -> bytes | None:
        """Return the content of a file that is in memory."""
        known = self._contents.get(path)
        return known if isinstance(known, bytes) else None

    def store_content(self, path: str, content: bytes) -> None:
        """Keep the content of a file in memory while there is room for it."""
        if len(content) <= self._room:
            self._room -= len(content)
            self._contents[path] = content

    def store_names(self, directory: str, rows: Iterable[list[Any]]) -> None:
        """Keep the names in a directory in memory."""
        self._names[directory] = tuple(sorted((row[0] for row in rows), key=sort_key))

    def store_entry(self, entry: Entry) -> None:
        """Keep what is known of a path in memory."""
        self._stats[entry.path] = entry

    def stat(self, path: str) -> Entry:
        """Return one path, its final link not followed."""
        if path not in self._stats:
            self._refuse_unlisted(path)
            _refuse_nul(path)
            self.conversation.request({"do": "stat", "paths": [path]})
            for value in self.conversation.reply():
                _, code, row = self._parse_triple(value)
                self._stats[path] = code or self.parse_row(path, row).entry
        return self._known(self._stats, path)

    def names(self, path: str) -> tuple[str, ...]:
        """Return the sorted names in a directory."""
        path = path.rstrip("/") or "/"
        if path not in self._names:
            self._refuse_unlisted(path)
            _refuse_nul(path)
            self.conversation.request({"do": "list", "paths": [path]})
            for value in self.conversation.reply():
                self._store_listing(value)
        return self._known(self._names, path)

    def read(self, path: str, limit: int = READ_LIMIT) -> bytes:
        """Return the content of a file of at most `limit` bytes, links followed."""
        if path not in self._contents and compile_globs(self._preloaded).match(path):
            # Every path that matches was in the reply: this one does not exist.
            self._contents[path] = errno.ENOENT
        if path not in self._contents:
            self._refuse_unlisted(path)
        if self._contents.get(path, errno.EFBIG) == errno.EFBIG:  # too large to be preloaded
            content = io.BytesIO()
            self._fetch(path, content.write, limit)
            self.store_content(path, content.getvalue())
            return content.getvalue()
        known = self._known(self._contents, path)
        if len(known) > limit:
            raise OSError(errno.EFBIG, "too large", path)
        return known

    def open(self, path: str) -> BinaryIO:
        """Open a regular file: from memory, else by fetching it."""
        known = self.content(path)
        if known is not None:
            return io.BytesIO(known)
        spool = tempfile.SpooledTemporaryFile(max_size=RETAIN_LIMIT)  # noqa: SIM115  returned
        try:
            self._fetch(path, spool.write, UNBOUNDED)
        except BaseException:
            spool.close()
            raise
        spool.seek(0)
        return spool  # type: ignore[return-value]  # it has all methods that are used

    def parse_row(self, path: str, row: Any) -> PathStatus:
        """Return a row of a reply as the status of `path`.  Raise TargetError when malformed."""
        try:
            _, mode, uid, gid, mtime_ns, ctime_ns, size, dev, ino, links, target, *rest = row
            major, minor, xattrs = rest
            if not are_numbers(
                (mode, uid, gid, size, dev, ino, links, major, minor), (mtime_ns, ctime_ns)
            ):
                raise self.conversation.unexpected_reply()
            kind = TYPE_OF_FORMAT[stat.S_IFMT(mode)]
            entry = Entry(
                path,
                kind,
                stat.S_IMODE(mode),
                uid,
                gid,
                mtime_ns // 1_000_000_000,
                size if kind is EntryType.FILE else 0,
                str(target),
                (major, minor) if kind in (EntryType.CHAR, EntryType.BLOCK) else None,
                tuple((name, bytes.fromhex(value)) for name, value in xattrs),
            )
            return PathStatus(entry, StatKey(path, dev, ino, size, mtime_ns, ctime_ns), links)
        except (ValueError, TypeError, KeyError) as error:
            raise self.conversation.unexpected_reply() from error

    def parse_listing(self, value: list[Any]) -> tuple[str, int, list[Any]]:
        """Return the path, errno and rows of a listing.  Raise TargetError when malformed."""
        path, code, rows = self._parse_triple(value)
        if not isinstance(rows, list) or not all(_is_row(row) for row in rows):
            raise self.conversation.unexpected_reply()
        return path, code, rows

    def _parse_triple(self, value: list[Any]) -> tuple[str, int, Any]:
        if len(value) != 3 or not isinstance(value[0], str) or not isinstance(value[1], int):
            raise self.conversation.unexpected_reply()
        return value[0], value[1], value[2]

    def _store_listing(self, value: list[Any]) -> None:
        path, code, rows = self.parse_listing(value)
        self.store_names(path, rows)
        if code:
            self._names[path] = code
        prefix = path.rstrip("/")
        for row in rows:
            child = f"{prefix}/{row[0]}"
            self.store_entry(self.parse_row(child, row).entry)

    def _fetch(self, path: str, sink: Callable[[bytes], object], limit: int) -> None:
        _refuse_nul(path)
        request = {"do": "read", "files": [[path, CONTENT | FOLLOW]], "limit": limit}
        self.conversation.request(request)
        replies = map(self.conversation.parse_file, self.conversation.reply(sink))
        codes = [file.errno for file in replies]
        if codes != [0]:
            raise _error(codes[0] if codes else errno.EIO, path)

    def _refuse_unlisted(self, path: str) -> None:
        """Raise FileNotFoundError for a path when a directory above it is known to lack it."""
        below = path
        while below:
            parent, _, name = below.rpartition("/")
            if name in ("", ".", ".."):
                return
            listed = self._names.get(parent or "/")
            if isinstance(listed, tuple):
                if name not in listed:
                    raise _error(errno.ENOENT, path)
                return
            below = parent

    def _known(self, table: Mapping[str, _T | int], path: str) -> _T:
        """Return what a table has for a path, or raise the error that the remote side reported."""
        known = table.get(path, errno.EIO)
        if isinstance(known, int):
            raise _error(known, path)
        return known


def _refuse_nul(path: str) -> None:
    if "\0" in path:
        raise FileNotFoundError(errno.ENOENT, "no file has such a name", path)


def _is_row(row: Any) -> bool:
    return (
        isinstance(row, list)
        and len(row) == 14
        and isinstance(row[0], str)
        and row[0] not in ("", ".", "..")
        and "/" not in row[0]
        and "\0" not in row[0]
    )


def _error(code: int, path: str) -> OSError:
    return OSError(code, _WORDS.get(code) or os.strerror(code), path)
