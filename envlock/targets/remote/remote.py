"""An environment read by a program at the far end of a pipe: `envlock.targets.remote.ssh_remote`.

One request asks for many things, so that a capture costs a few round trips and not one a file:
what collectors declared, then the walk a level of folders at a time, then the content of files.
"""

from __future__ import annotations

import errno
import io
import os
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple, TypeVar

from envlock.model.glob import compile_globs
from envlock.model.process import ProcessConfig
from envlock.model.stat import StatKey
from envlock.model.text import sort_key
from envlock.model.tree import TYPE_OF_FORMAT, Entry, EntryType
from envlock.targets.base import READ_LIMIT, Capability, ScanPlan
from envlock.targets.remote.conversation import Conversation, Link, are_numbers
from envlock.targets.remote.ssh_remote import CONTENT, FOLLOW
from envlock.targets.stream.streaming import RETAIN_LIMIT

_T = TypeVar("_T")
_WORDS = {errno.EFBIG: "too large", errno.ELOOP: "loop of symbolic links"}
UNBOUNDED = 1 << 62
"""A limit in bytes that no file reaches."""


class Seen(NamedTuple):
    """One path as the far side tells of it, with what identifies its content."""

    entry: Entry
    key: StatKey
    links: int


class FarTarget:
    """A machine at the other end."""

    is_streaming = True
    walks_first = True

    def __init__(self, reference: str, link: Link) -> None:
        self.reference = reference
        self.capabilities = frozenset({Capability.FILES, Capability.ENVIRON, Capability.KERNEL})
        self.talk = Conversation(link, reference)
        self._asked: tuple[str, ...] = ()
        self._stats: dict[str, Seen | int] = {}
        self._names: dict[str, tuple[str, ...] | int] = {}
        self._contents: dict[str, bytes | int] = {}

    def preload(self, patterns: Iterable[str]) -> None:
        """Fetch what collectors declared that they read, in one round trip."""
        wanted = tuple(pattern for pattern in patterns if not pattern.startswith(("**", "/**")))
        self.talk.ask({"do": "match", "patterns": wanted, "limit": RETAIN_LIMIT})
        parts: list[bytes] = []
        is_cut = False
        for value in self.talk.answer(parts.append):
            if len(value) == 1:
                is_cut = value != [False]
            elif len(value) == 3:
                self._learn(value)
            else:
                told = self.talk.told(value)
                self._contents[told.path] = told.errno or b"".join(parts)
                parts.clear()
        if not is_cut:  # what was not told of is known not to be there
            self._asked += tuple(pattern for pattern in wanted if "**" not in pattern)

    def scan(self, plan: ScanPlan) -> Iterator[Entry]:
        """Walk, then read; see `envlock.targets.base.Target.scan`."""
        from envlock.targets.remote.remote_scan import FarScan

        yield from FarScan(self, plan).entries()

    def holds(self, path: str) -> bool:
        """True when the content of this path is in memory."""
        return isinstance(self._contents.get(path), bytes)

    def retain(self, path: str, content: bytes) -> None:
        """Keep the content of a file in memory."""
        self._contents[path] = content

    def content(self, path: str) -> bytes | None:
        """Return the content of a file that is in memory."""
        known = self._contents.get(path)
        return known if isinstance(known, bytes) else None

    def learn_names(self, folder: str, rows: Iterable[list[Any]]) -> None:
        """Remember the names in a folder."""
        self._names[folder] = tuple(sorted((row[0] for row in rows), key=sort_key))

    def stat(self, path: str) -> Entry:
        """Return one path, its final link not followed."""
        if path not in self._stats:
            _refuse_nul(path)
            self.talk.ask({"do": "stat", "paths": [path]})
            for value in self.talk.answer():
                _, code, row = self._shaped(value)
                self._stats[path] = code or self.seen(path, row)
        return self._known(self._stats, path).entry

    def names(self, path: str) -> tuple[str, ...]:
        """Return the sorted names in a directory."""
        path = path.rstrip("/") or "/"
        if path not in self._names:
            _refuse_nul(path)
            self.talk.ask({"do": "list", "paths": [path]})
            for value in self.talk.answer():
                self._learn(value)
        return self._known(self._names, path)

    def read(self, path: str, limit: int = READ_LIMIT) -> bytes:
        """Return the content of a file of at most `limit` bytes, links followed."""
        if path not in self._contents and compile_globs(self._asked).match(path):
            # Whatever matches was told of: this one is not there.
            self._contents[path] = errno.ENOENT
        if self._contents.get(path, errno.EFBIG) == errno.EFBIG:  # too large to come unasked
            content = io.BytesIO()
            self._pour(path, content.write, limit)
            self._contents[path] = content.getvalue()
        content_or_why = self._known(self._contents, path)
        if len(content_or_why) > limit:
            raise OSError(errno.EFBIG, "too large", path)
        return content_or_why

    def open(self, path: str) -> BinaryIO:
        """Open a regular file: from memory, else by fetching it."""
        known = self.content(path)
        if known is not None:
            return io.BytesIO(known)
        spool = tempfile.SpooledTemporaryFile(max_size=RETAIN_LIMIT)  # noqa: SIM115  returned
        try:
            self._pour(path, spool.write, UNBOUNDED)
        except BaseException:
            spool.close()
            raise
        spool.seek(0)
        return spool  # type: ignore[return-value]  # it is one in all that is used

    def process(self) -> ProcessConfig:
        """Return the environment of the session on the other machine."""
        environ = self.talk.hello.get("environ")
        try:
            pairs = {str(name): str(value) for name, value in environ or ()}
        except (TypeError, ValueError) as error:
            raise self.talk.nonsense() from error
        return ProcessConfig(environ=pairs, is_session=True)

    def close(self) -> None:
        """End the far program and the connection."""
        self.talk.close()

    def seen(self, path: str, row: Any) -> Seen:
        """Return a row as an entry at `path`.  Raise TargetError when it is none."""
        try:
            _, mode, uid, gid, mtime_ns, ctime_ns, size, dev, ino, links, target, *rest = row
            major, minor, xattrs = rest
            if not are_numbers(
                (mode, uid, gid, size, dev, ino, links, major, minor), (mtime_ns, ctime_ns)
            ):
                raise self.talk.nonsense()
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
            return Seen(entry, StatKey(path, dev, ino, size, mtime_ns, ctime_ns), links)
        except (ValueError, TypeError, KeyError) as error:
            raise self.talk.nonsense() from error

    def rows(self, value: list[Any]) -> tuple[str, int, list[Any]]:
        """Return one listing: path, errno, rows.  Raise TargetError when it is none."""
        path, code, rows = self._shaped(value)
        if not isinstance(rows, list) or not all(_is_row(row) for row in rows):
            raise self.talk.nonsense()
        return path, code, rows

    def _shaped(self, value: list[Any]) -> tuple[str, int, Any]:
        if len(value) != 3 or not isinstance(value[0], str) or not isinstance(value[1], int):
            raise self.talk.nonsense()
        return value[0], value[1], value[2]

    def _learn(self, value: list[Any]) -> None:
        path, code, rows = self.rows(value)
        folder = path.rstrip("/")
        self._names[path] = code or tuple(sorted((row[0] for row in rows), key=sort_key))
        for row in rows:
            child = f"{folder}/{row[0]}"
            self._stats[child] = self.seen(child, row)

    def _pour(self, path: str, sink: Callable[[bytes], object], limit: int) -> None:
        _refuse_nul(path)
        request = {"do": "read", "files": [[path, CONTENT | FOLLOW]], "limit": limit}
        self.talk.ask(request)
        codes = [self.talk.told(value).errno for value in self.talk.answer(sink)]
        if codes != [0]:
            raise _error(codes[0] if codes else errno.EIO, path)

    def _known(self, table: Mapping[str, _T | int], path: str) -> _T:
        """Return what is known of a path, or raise what the far side said."""
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
