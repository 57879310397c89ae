"""Requests and replies over a pipe to `ssh_remote.py`, whose docstring specifies the format.

Replies are hostile input: frames are bounded in size, and anything malformed is a TargetError.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol, TypeVar

from envlock.errors import TargetError
from envlock.model.document import parse_json

_FRAME_LIMIT = 256 * 1024 * 1024
_PIECE_LIMIT = 1024 * 1024
_HEAD = struct.Struct(">cI")
_PIPELINED = 4
"""Requests sent before their replies are read.  With `BATCH_BYTES`, they fit into any pipe."""

_BATCH_BYTES = 24 * 1024
"""Size of a request, in bytes, from which on it takes no more paths."""
_BATCH = 256
_T = TypeVar("_T")


class Link(Protocol):
    """The two ends of a pipe to the remote program."""

    def send(self, raw: bytes) -> None:
        """Send bytes.  Raise TargetError when the other side no longer reads."""

    def receive(self, size: int) -> bytes:
        """Return exactly `size` bytes.  Raise TargetError when the stream ends earlier."""

    def close(self) -> None:
        """End the program.  May be called twice."""


class FileReply(NamedTuple):
    """The result of reading one file: errno (0: success), and what the remote side computed.

    `second` is MD5 or SHA-1, whichever was asked for.
    """

    path: str
    errno: int
    size: int = 0
    mtime_ns: int = 0
    ctime_ns: int = 0
    sha256: str = ""
    second: str = ""


def are_numbers(counts: Iterable[object], times: Iterable[object]) -> bool:
    """True when `counts` are unsigned and `times` signed integers of 64 bits, as in stat(2)."""
    return all(type(n) is int and 0 <= n < 1 << 64 for n in counts) and all(
        type(n) is int and abs(n) < 1 << 63 for n in times
    )


def batches_of(items: Iterable[_T], path_of: Callable[[_T], str] = str) -> Iterator[list[_T]]:
    """Yield the items in lists that fit into one request."""
    batch: list[_T] = []
    size = 0
    for item in items:
        batch.append(item)
        path = path_of(item)
        # In JSON a character takes one byte, or up to twelve for two escapes.
        size += 16 + len(path) * (1 if path.isascii() and path.isprintable() else 12)
        if size >= _BATCH_BYTES or len(batch) >= _BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _drop(_piece: bytes) -> None:
    return None


class Conversation:
    """Requests and replies over a link."""

    def __init__(self, link: Link, where: str) -> None:
        self.where = where
        self.sent = 0
        """How many requests were sent."""
        self._link = link
        kind, payload = self._frame()
        hello = self._parse(payload) if kind == b"J" else None
        if not isinstance(hello, dict):
            raise self.unexpected_reply()
        self.hello: Mapping[str, Any] = hello

    def unexpected_reply(self) -> TargetError:
        """Return the error for a malformed reply."""
        return TargetError("unexpected reply from the other machine", where=self.where)

    def request(self, request: Mapping[str, object]) -> None:
        """Send a request."""
        raw = json.dumps(request, separators=(",", ":")).encode("ascii")
        self.sent += 1
        self._link.send(struct.pack(">I", len(raw)) + raw)

    def reply(self, sink: Callable[[bytes], object] = _drop) -> Iterator[list[Any]]:
        """Yield the values of the next reply; content goes to `sink` before the value about it."""
        while True:
            kind, payload = self._frame()
            if kind == b"J":
                value = self._parse(payload)
                if value is None:
                    return
                if not isinstance(value, list):
                    raise self.unexpected_reply()
                yield value
            elif payload:
                sink(self._unpack(payload) if kind == b"Z" else payload)

    def replies(
        self,
        requests: Iterable[Mapping[str, object]],
        sink: Callable[[bytes], object] = _drop,
    ) -> Iterator[list[Any]]:
        """Yield the values of the replies to many requests, which are sent ahead."""
        waiting: deque[None] = deque()
        for request in requests:
            self.request(request)
            waiting.append(None)
            if len(waiting) >= _PIPELINED:
                waiting.popleft()
                yield from self.reply(sink)
        for _ in waiting:
            yield from self.reply(sink)

    def parse_file(self, value: list[Any]) -> FileReply:
        """Return a value as the result of reading a file.  Raise TargetError when it is not one."""
        if (
            len(value) != 7
            or not all(type(value[at]) is str for at in (0, 5, 6))
            or not are_numbers(value[1:3], value[3:5])
        ):
            raise self.unexpected_reply()
        return FileReply(*value)

    def close(self) -> None:
        """End the conversation."""
        self._link.close()

    def _parse(self, payload: bytes) -> Any:
        try:
            return parse_json(payload)
        except ValueError as error:
            raise self.unexpected_reply() from error

    def _unpack(self, payload: bytes) -> bytes:
        unpacker = zlib.decompressobj()
        try:
            piece = unpacker.decompress(payload, _PIECE_LIMIT)
        except zlib.error as error:
            raise self.unexpected_reply() from error
        if not unpacker.eof:
            raise self.unexpected_reply()
        return piece

    def _frame(self) -> tuple[bytes, bytes]:
        kind, size = _HEAD.unpack(self._link.receive(_HEAD.size))
        if kind not in (b"J", b"D", b"Z") or size > _FRAME_LIMIT:
            raise self.unexpected_reply()
        return kind, self._link.receive(size)
