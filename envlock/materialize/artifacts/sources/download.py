"""Downloads over HTTP that are polite to each host, and go on where a connection broke.

Services that keep old packages are slow, refuse clients that ask fast, and break connections.  So
requests to one host have a rate, a host that fails again and again is left alone, and what was
received of a file is not asked for again (RFC 9110, 13.1.5 and 14: range requests), not even by the
next run.  What a file must be is up to whoever asks for it.
"""

from __future__ import annotations

import math
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import urlsplit

from envlock import __version__
from envlock.errors import RegistryError, SourceError
from envlock.materialize.artifacts.sources.base import UnreachableSourceError
from envlock.registry.transport import HostSettings, NoAnswerError, Transport, shown
from envlock.store.partial_file import PartialFile, partial_file

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

LARGEST_PACKAGE = 16 << 30
"""The largest package that is downloaded, in bytes."""
LARGEST_ANSWER = 4 << 20
"""The largest answer of a service about a package, in bytes."""
REQUESTS_A_SECOND = 4.0
"""How many requests one host gets a second, in the long run."""
MOST_RESUMES = 5
"""How often a download goes on where it was cut, as long as each time something came."""
MOST_FAILURES = 3
"""After so many failures in a row a host is not asked again."""

_BURST = 4
_PIECE = 64 << 10
"""How much is received before it is written, in bytes; a killed process loses no more."""
_PART = re.compile(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18}|\*)\Z")
_ABSENT = frozenset({404, 410})
_OF_THE_HOST = frozenset({408, 429, *range(500, 600)})
"""Answers that tell of the state of a host; others are about what was asked for."""


@dataclass(slots=True, kw_only=True)
class Downloads:
    """Downloads of one rebuild.  Several threads may use it.

    `rate` is in requests a second for each host; `clock` and `sleep` are in seconds.  What was
    received when the process is killed stays in `partial`, on the file system of the downloads.
    `stop` may be called from any thread.
    """

    rate: float = REQUESTS_A_SECOND
    largest: int = LARGEST_PACKAGE
    partial: Path | None = None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] | None = None
    _next: dict[str, float] = field(default_factory=dict)
    _failures: Counter[str] = field(default_factory=Counter)
    _transports: dict[str, Transport] = field(default_factory=dict)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def document(self, url: str) -> bytes | None:
        """Return a small document, None where there is none.

        Raise SourceError for every other answer, `UnreachableSourceError` when nothing answers.
        """
        with self._opened(url, {}) as answer:
            if not self._is_there(url, answer.status, {200}):
                return None
            content = b""
            while piece := answer.read(LARGEST_ANSWER + 1 - len(content)):
                content += piece
                if len(content) > LARGEST_ANSWER:
                    raise SourceError("the answer is too large", where=host_of(url))
            if answer.is_broken:
                raise self._failed(url, "the answer ends early")
            self._count(url, 0)
            return content

    def file(self, url: str, path: Path, is_right: Callable[[Path], bool] | None = None) -> bool:
        """Write what a URL has to `path`; False where there is nothing.

        Where a connection breaks, or where an earlier run was ended, it goes on from there.
        `is_right` tells whether a file is the wanted one: where it is not, and a part of it is of
        an earlier run, it is loaded once more as a whole.  Without it, a part of an earlier run is
        used only where the server proves that it belongs to the same file.  Raise SourceError as
        `document` does, and when a file ends early in spite of that.
        """
        host_of(url)
        with self._partial_file(url, path) as part:
            if part.size and not part.validator and is_right is None:
                part.begin("")
            is_older = part.size > 0
            try:
                is_there = self._whole(url, part)
                if is_there and is_older and is_right is not None and not is_right(part.path):
                    part.begin("")
                    is_there = self._whole(url, part)
            except OSError:  # the disk is full, and the part needs room
                part.drop()
                raise
            if is_there:
                self._count(url, 0)
                part.deliver(path)
            elif part.is_kept:
                part.drop()
            return is_there

    @contextmanager
    def _partial_file(self, url: str, path: Path) -> Iterator[PartialFile]:
        """Yield the kept file of a URL; `path` where none is kept, or another process has it."""
        path.touch()
        with ExitStack() as stack:
            kept = None
            if self.partial is not None:
                name = f"{shown(url)} {path.name}"
                kept = stack.enter_context(partial_file(self.partial, name))
            yield kept or PartialFile(path, is_kept=False)

    def _whole(self, url: str, part: PartialFile) -> bool:
        """Receive a file to its end; False where there is nothing."""
        for _ in range(MOST_RESUMES + 1):
            before = part.size
            state = self._receive(url, part, before)
            if state is not None:
                return state
            if part.size <= before:
                break
        raise self._failed(url, "the file ends early")

    def _receive(self, url: str, part: PartialFile, start: int) -> bool | None:
        """Append what comes from `start` on; None when the connection broke before the end."""
        headers = {"Range": f"bytes={start}-"} if start else {}
        if start and part.validator:
            headers["If-Range"] = part.validator
        with self._opened(url, headers) as answer:
            if start and answer.status == 416:
                if _size_of_all(answer) == start:
                    return True
                part.begin("")
                return self._receive(url, part, 0)
            if not self._is_there(url, answer.status, {200, 206}):
                return False
            begin, total = _extent(answer, start)
            if (begin != start and (begin or answer.status == 206)) or _is_other(answer, part):
                part.begin("")
                raise self._failed(url, "it sends another part than was asked for")
            if not begin:
                part.begin(answer.header("ETag"))
            with part.path.open("r+b") as sink:
                sink.seek(begin)
                self._copy(answer, sink, url)
        return None if answer.is_broken or total not in (None, part.size) else True

    def _copy(self, answer: _Answer, sink: IO[bytes], url: str) -> None:
        """Write pieces of an answer until it ends or breaks."""
        while piece := answer.read(_PIECE):
            if self._stopped.is_set():
                raise SourceError("the download was stopped", where=host_of(url))
            if sink.tell() + len(piece) > self.largest:
                raise SourceError(
                    f"the file has more than {self.largest:,} bytes", where=host_of(url)
                )
            sink.write(piece)

    def _opened(self, url: str, headers: dict[str, str]) -> closing[_Answer]:
        """Wait for this host's turn, then ask it."""
        host = host_of(url)
        if urlsplit(url).scheme not in ("http", "https") or not host:
            raise SourceError("not an address of http or https", where=host)
        self._take_turn(host)
        if self._stopped.is_set():
            raise SourceError("the download was stopped", where=host)
        sent = {"User-Agent": f"envlock/{__version__}", "Accept-Encoding": "identity", **headers}
        try:
            response = self._transport(host).open("GET", url, headers=sent)
        except NoAnswerError as error:
            self._count(url)
            raise UnreachableSourceError(f"{host} does not answer: {_reason(error)}") from error
        except RegistryError as error:
            raise self._failed(url, error.message) from error
        return closing(_Answer(response))

    def _take_turn(self, host: str) -> None:
        with self._lock:
            if self._failures[host] >= MOST_FAILURES:
                raise SourceError(
                    f"{host} is not asked any more after {MOST_FAILURES} failures", where=host
                )
            now = self.clock()
            # A bucket of _BURST tokens, kept as the time at which the next request is due.
            due = max(self._next.get(host, -math.inf), now - _BURST / self.rate)
            self._next[host] = due + 1 / self.rate
        self._wait(max(0.0, due - now))

    def _is_there(self, url: str, status: int, good: Collection[int]) -> bool:
        """True for a good answer, False where there is nothing.  Raise SourceError for others."""
        if status in good:
            return True
        if status in _OF_THE_HOST:
            raise self._failed(url, f"it answered {status}")
        self._count(url, 0)
        if status in _ABSENT:
            return False
        raise SourceError(f"{host_of(url)}: it answered {status}", where=host_of(url))

    def _failed(self, url: str, reason: str) -> SourceError:
        self._count(url)
        return SourceError(f"{host_of(url)}: {reason}", where=host_of(url))

    def _count(self, url: str, more: int = 1) -> None:
        """Count a failure of a host; 0 is none, and ends a row of them."""
        with self._lock:
            self._failures[host_of(url)] = self._failures[host_of(url)] + 1 if more else 0

    def _transport(self, host: str) -> Transport:
        with self._lock:
            if host not in self._transports:
                settings = HostSettings(is_plain=True)
                self._transports[host] = Transport(host=host, settings=settings, sleep=self._wait)
            return self._transports[host]

    def _wait(self, seconds: float) -> None:
        """Wait, or until everything is stopped."""
        (self.sleep or self._stopped.wait)(seconds)

    def stop(self) -> None:
        """Make every download end as soon as something comes, or its connection times out."""
        self._stopped.set()

    def close(self) -> None:
        """Close all connections."""
        for transport in self._transports.values():
            transport.close()


class _Answer:
    """A response; where its connection breaks, it just ends, and `is_broken` tells so."""

    def __init__(self, response: BaseHTTPResponse) -> None:
        self._response = response
        self.status: int = response.status
        self.is_broken = False

    def header(self, name: str) -> str:
        """Return a header, empty where it is not there."""
        return str(self._response.headers.get(name) or "")

    def read(self, size: int) -> bytes:
        """Return the next bytes, none at the end."""
        from urllib3.exceptions import HTTPError

        try:
            found: bytes = self._response.read(size)
        except (HTTPError, OSError) as error:
            self.is_broken = True
            cause = error.args[-1] if error.args else None
            came = getattr(cause, "partial", b"")  # of http.client.IncompleteRead, for chunks
            return came if isinstance(came, bytes) else b""
        return found

    def close(self) -> None:
        """Close the response."""
        self._response.close()


def _extent(answer: _Answer, start: int) -> tuple[int, int | None]:
    """Return where an answer begins in the file, and the size of the file if it is stated."""
    part = _PART.match(answer.header("Content-Range")) if answer.status == 206 else None
    if part is not None:
        return int(part[1]), int(part[2]) if part[2] != "*" else None
    size = answer.header("Content-Length")
    whole = int(size) if size.isdecimal() and len(size) < 19 else None
    if answer.status == 206:  # it does not say which part it is
        return start, None if whole is None else start + whole
    return 0, whole


def _is_other(answer: _Answer, part: PartialFile) -> bool:
    """True for a part that does not belong to what was received before."""
    tag = answer.header("ETag")
    return bool(answer.status == 206 and part.size and part.validator and tag) and (
        tag != part.validator
    )


def _size_of_all(answer: _Answer) -> int:
    """Return the size of a file of which no more could be sent; -1 where it is not stated."""
    match = re.match(r"bytes \*/(\d{1,18})\Z", answer.header("Content-Range"))
    return int(match[1]) if match else -1


def host_of(url: str) -> str:
    """Return the host of an address and its port, without user and password.

    Raise SourceError for what is no address, such as one with a port of six digits.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SourceError(f"not an address of http or https: {error}") from error
    return f"{parts.hostname or ''}{f':{port}' if port else ''}"


def _reason(error: NoAnswerError) -> str:
    return error.message.rpartition("does not answer: ")[2]
