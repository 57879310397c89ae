"""Requests and answers over a pipe to `ssh_remote.py`, whose docstring has the format.

What comes back is hostile input: frames are bounded, and anything malformed is a TargetError.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from envlock.errors import TargetError
from envlock.model.document import parse_json

_FRAME_LIMIT = 256 * 1024 * 1024
_PIECE_LIMIT = 1024 * 1024
_HEAD = struct.Struct(">cI")
_AHEAD = 4
"""Requests under way at a time.  With `BATCH_BYTES` it is what no pipe refuses to hold."""

BATCH_BYTES = 24 * 1024


class Link(Protocol):
    """The two ends of a pipe to the far program."""

    def send(self, raw: bytes) -> None:
        """Send bytes.  Raise TargetError when nobody takes them."""

    def receive(self, size: int) -> bytes:
        """Return exactly `size` bytes.  Raise TargetError when they do not come."""

    def close(self) -> None:
        """End the program.  May be called twice."""


class Told(NamedTuple):
    """What was read of a file: errno (0: all went well), and what the far side computed."""

    path: str
    errno: int
    size: int = 0
    mtime_ns: int = 0
    ctime_ns: int = 0
    sha256: str = ""
    second: str = ""
    """MD5 or SHA-1, as it was asked for."""


def are_numbers(counts: Iterable[object], times: Iterable[object]) -> bool:
    """True when these are numbers as the kernel has them: unsigned and signed ones of 64 bits."""
    return all(type(n) is int and 0 <= n < 1 << 64 for n in counts) and all(
        type(n) is int and abs(n) < 1 << 63 for n in times
    )


def _drop(_piece: bytes) -> None:
    return None


class Conversation:
    """Requests and answers over a link."""

    def __init__(self, link: Link, where: str) -> None:
        self.where = where
        self._link = link
        kind, payload = self._frame()
        hello = self._parse(payload) if kind == b"J" else None
        if not isinstance(hello, dict):
            raise self.nonsense()
        self.hello: Mapping[str, Any] = hello

    def nonsense(self) -> TargetError:
        """Return the error for an answer that is none."""
        return TargetError("the other machine answers nonsense", where=self.where)

    def ask(self, request: Mapping[str, object]) -> None:
        """Send a request."""
        raw = json.dumps(request, separators=(",", ":")).encode("ascii")
        self._link.send(struct.pack(">I", len(raw)) + raw)

    def answer(self, sink: Callable[[bytes], object] = _drop) -> Iterator[list[Any]]:
        """Yield the values of the next answer; content goes to `sink` before what tells of it."""
        while True:
            kind, payload = self._frame()
            if kind == b"J":
                value = self._parse(payload)
                if value is None:
                    return
                if not isinstance(value, list):
                    raise self.nonsense()
                yield value
            elif payload:
                sink(self._unpack(payload) if kind == b"Z" else payload)

    def answers(
        self,
        requests: Iterable[Mapping[str, object]],
        sink: Callable[[bytes], object] = _drop,
    ) -> Iterator[list[Any]]:
        """Yield the values of the answers to many requests, the next ones sent ahead."""
        waiting: deque[None] = deque()
        for request in requests:
            self.ask(request)
            waiting.append(None)
            if len(waiting) >= _AHEAD:
                waiting.popleft()
                yield from self.answer(sink)
        for _ in waiting:
            yield from self.answer(sink)

    def told(self, value: list[Any]) -> Told:
        """Return a value as what was read of a file.  Raise TargetError when it is none."""
        if (
            len(value) != 7
            or not all(type(value[at]) is str for at in (0, 5, 6))
            or not are_numbers(value[1:3], value[3:5])
        ):
            raise self.nonsense()
        return Told(*value)

    def close(self) -> None:
        """End it."""
        self._link.close()

    def _parse(self, payload: bytes) -> Any:
        try:
            return parse_json(payload)
        except ValueError as error:
            raise self.nonsense() from error

    def _unpack(self, payload: bytes) -> bytes:
        unpacker = zlib.decompressobj()
        try:
            piece = unpacker.decompress(payload, _PIECE_LIMIT)
        except zlib.error as error:
            raise self.nonsense() from error
        if not unpacker.eof:
            raise self.nonsense()
        return piece

    def _frame(self) -> tuple[bytes, bytes]:
        kind, size = _HEAD.unpack(self._link.receive(_HEAD.size))
        if kind not in (b"J", b"D", b"Z") or size > _FRAME_LIMIT:
            raise self.nonsense()
        return kind, self._link.receive(size)
