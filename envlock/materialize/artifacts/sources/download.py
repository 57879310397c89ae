"""Downloads over HTTP that are polite to each host, and go on where a connection broke.

Services that keep old packages are slow, refuse clients that ask fast, and break connections.  So
requests to one host have a rate, a host that fails again and again is left alone, and what was
received of a file is not asked for again (RFC 9110, 14: range requests).  What a file must be is up
to whoever asks for it.
"""

from __future__ import annotations

import math
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import urlsplit

from envlock import __version__
from envlock.errors import RegistryError, SourceError
from envlock.materialize.artifacts.sources.base import UnreachableSourceError
from envlock.registry.transport import HostSettings, NoAnswerError, Transport

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
_PIECE = 1 << 20
_PART = re.compile(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18}|\*)\Z")
_ABSENT = frozenset({404, 410})


@dataclass(slots=True, kw_only=True)
class Downloads:
    """Downloads of one rebuild.  Several threads may use it.

    `rate` is in requests a second for each host; `clock` and `sleep` are in seconds.  `stop` may be
    called from any thread.
    """

    rate: float = REQUESTS_A_SECOND
    largest: int = LARGEST_PACKAGE
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
            if answer.status in _ABSENT:
                return None
            self._require(answer.status == 200, url, answer.status)
            content: bytes = answer.read(LARGEST_ANSWER + 1)
            if len(content) > LARGEST_ANSWER:
                raise SourceError("the answer is too large", where=_host(url))
            return content

    def file(self, url: str, path: Path) -> bool:
        """Write what a URL has to `path`; False where there is nothing.

        Where a connection breaks, it goes on from there.  Raise SourceError as `document` does, and
        when a file ends early in spite of that.
        """
        path.touch()
        for _ in range(MOST_RESUMES + 1):
            before = path.stat().st_size
            state = self._receive(url, path, before)
            if state is not None:
                return state
            if path.stat().st_size <= before:
                break
        raise self._failed(url, "the file ends early")

    def _receive(self, url: str, path: Path, start: int) -> bool | None:
        """Append what comes from `start` on; None when the connection broke before the end."""
        headers = {"Range": f"bytes={start}-"} if start else {}
        with self._opened(url, headers) as answer:
            if answer.status in _ABSENT:
                return False
            self._require(answer.status in (200, 206), url, answer.status)
            begin, total = _extent(answer, start)
            if begin not in (0, start) or (begin != start and answer.status == 206):
                raise self._failed(url, "it sends another part than was asked for")
            start = begin
            with path.open("r+b") as sink:
                sink.truncate(start)
                sink.seek(start)
                self._copy(answer, sink, url)
        return True if total is None or path.stat().st_size == total else None

    def _copy(self, answer: _Answer, sink: IO[bytes], url: str) -> None:
        """Write pieces of an answer until it ends or breaks."""
        while piece := answer.read(_PIECE):
            if self._stopped.is_set():
                raise SourceError("the download was stopped", where=_host(url))
            if sink.tell() + len(piece) > self.largest:
                raise SourceError(
                    f"the file has more than {self.largest:,} bytes", where=_host(url)
                )
            sink.write(piece)

    def _opened(self, url: str, headers: dict[str, str]) -> closing[_Answer]:
        """Wait for this host's turn, then ask it."""
        host = _host(url)
        if urlsplit(url).scheme not in ("http", "https") or not host:
            raise SourceError("not an address of http or https", where=host)
        self._take_turn(host)
        if self._stopped.is_set():
            raise SourceError("the download was stopped", where=host)
        sent = {"User-Agent": f"envlock/{__version__}", "Accept-Encoding": "identity", **headers}
        try:
            response = self._transport(host).open("GET", url, headers=sent)
        except NoAnswerError as error:
            self._failures[host] += 1
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

    def _require(self, is_good: bool, url: str, status: int) -> None:
        if not is_good:
            raise self._failed(url, f"it answered {status}")
        self._failures[_host(url)] = 0

    def _failed(self, url: str, reason: str) -> SourceError:
        self._failures[_host(url)] += 1
        return SourceError(f"{_host(url)}: {reason}", where=_host(url))

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
    """A response; where its connection breaks, it just ends."""

    def __init__(self, response: BaseHTTPResponse) -> None:
        self._response = response
        self.status: int = response.status

    def header(self, name: str) -> str:
        """Return a header, empty where it is not there."""
        return str(self._response.headers.get(name) or "")

    def read(self, size: int) -> bytes:
        """Return the next bytes, none at the end."""
        from urllib3.exceptions import HTTPError

        try:
            found: bytes = self._response.read(size)
        except (HTTPError, OSError):
            return b""
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


def _host(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}"


def _reason(error: NoAnswerError) -> str:
    return error.message.rpartition("does not answer: ")[2]
