"""HTTP to one registry: TLS, proxies, retries, redirects; no meaning of what is sent.

A request is tried again where that can help: a broken connection, 408, 429, 500, 502, 503, 504.
``Retry-After`` wins over the own delay.  A redirect is followed by hand, so that credentials never
go to another host and signed addresses appear in no message.
"""

from __future__ import annotations

import io
import os
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple
from urllib.parse import urljoin, urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

from envlock.errors import RegistryError

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

MOST_TRIES = 5
FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
PATIENCE = 15.0
"""Seconds after which a registry that did not answer once is given up."""
MOST_REDIRECTS = 5
ANSWER_LIMIT = 8 * 1024 * 1024
"""Largest document in bytes that is read of a registry: a manifest, a list, a token."""
CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0

_AGAIN = frozenset({408, 429, 500, 502, 503, 504})
_MOVED = frozenset({301, 302, 303, 307, 308})
_CERTIFICATES = ("/etc/docker/certs.d", "/etc/containers/certs.d")


class NoAnswerError(RegistryError):
    """Nothing answers at the address of a registry."""


class Body(NamedTuple):
    """What a request sends: its size in bytes, and a function that opens it from the start."""

    size: int
    open: Callable[[], BinaryIO]

    @classmethod
    def of(cls, content: bytes) -> Body:
        """Return a body that is in memory."""
        return cls(len(content), lambda: io.BytesIO(content))


NO_BODY = Body.of(b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSettings:
    """How one host is reached.

    `ca` is a file of authorities that are trusted besides those of the system; `certificate` and
    `key` are those of a client.  `is_plain` allows HTTP without TLS.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    is_plain: bool = False

    @classmethod
    def of_host(cls, host: str, *, is_plain: bool = False) -> HostSettings:
        """Return the settings that Docker's directory of certificates has for a host."""
        for top in _CERTIFICATES:
            folder = Path(top) / host
            ca, certificate, key = (folder / n for n in ("ca.crt", "client.cert", "client.key"))
            if ca.is_file() or certificate.is_file():
                return cls(
                    ca=ca if ca.is_file() else None,
                    certificate=certificate if certificate.is_file() else None,
                    key=key if key.is_file() else None,
                    is_plain=is_plain,
                )
        return cls(is_plain=is_plain)


class Answer(NamedTuple):
    """A response whose body was read: its status, its headers by small letters, and its body."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    url: str


@dataclass(slots=True, kw_only=True)
class Transport:
    """Sends requests to the host of one registry and to where it redirects.

    `clock` and `sleep` are those of the retries; `environ` says which proxies and authorities to
    use.
    """

    host: str
    settings: HostSettings = field(default_factory=HostSettings)
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _pools: dict[str, Any] = field(default_factory=dict)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Body = NO_BODY,
        tries: int = MOST_TRIES,
    ) -> Answer:
        """Return the answer to a request, its body read whole (at most `ANSWER_LIMIT`).

        `tries` is how often it is sent at most.  Raise RegistryError when nothing answers.
        """
        with closing(self.open(method, url, headers=headers, body=body, tries=tries)) as response:
            try:
                content = response.read(ANSWER_LIMIT + 1)
            except _network_errors() as error:
                raise self._unreachable(url, error) from error
            if len(content) > ANSWER_LIMIT:
                raise RegistryError("the answer is too large", where=shown(url))
            return Answer(response.status, _lower(response.headers), content, url)

    def open(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Body = NO_BODY,
        tries: int = MOST_TRIES,
    ) -> BaseHTTPResponse:
        """Return a response whose body is still to be read; the caller closes it."""
        started, delay = self.clock(), FIRST_DELAY
        failure: Exception | None = None
        for attempt in range(1, tries + 1):
            response = None
            try:
                response = self._follow(method, url, dict(headers or {}), body)
                if response.status not in _AGAIN:
                    return response
            except _network_errors() as error:
                failure = error
            if attempt == tries or _is_final(failure):
                break
            if failure is not None and self.clock() - started > PATIENCE:
                break
            wait = delay if response is None else _retry_after(response.headers, delay)
            if response is not None:
                response.close()
            self.sleep(min(wait, LONGEST_DELAY))
            delay *= 2
        if response is not None:
            return response
        raise self._unreachable(url, failure)

    def _follow(
        self, method: str, url: str, headers: dict[str, str], body: Body
    ) -> BaseHTTPResponse:
        """Send one request, and follow where it is redirected to."""
        for _ in range(MOST_REDIRECTS):
            response = self._send(method, url, headers, body)
            location = response.headers.get("Location")
            if response.status not in _MOVED or not location:
                return response
            response.close()
            target = urljoin(url, location)
            if urlsplit(target).scheme not in ("http", "https"):
                raise RegistryError("it redirects to no web address", where=shown(url))
            if urlsplit(target).scheme == "http" and urlsplit(url).scheme == "https":
                raise RegistryError("it redirects from TLS to plain HTTP", where=shown(url))
            if urlsplit(target)[:2] != urlsplit(url)[:2]:
                headers.pop("Authorization", None)
            url = target
        raise RegistryError("it redirects without end", where=shown(url))

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: Body
    ) -> BaseHTTPResponse:
        from urllib3 import Timeout

        sent = dict(headers)
        stream = None
        if method in ("POST", "PUT", "PATCH"):
            sent["Content-Length"] = str(body.size)
            stream = body.open() if body.size else None
        try:
            response: BaseHTTPResponse = self._pool(url).request(
                method,
                url,
                body=stream,
                headers=sent,
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
                timeout=Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
            )
            return response
        finally:
            if stream is not None:
                stream.close()

    def _pool(self, url: str) -> Any:
        """Return the connections for a URL: direct ones, or through a proxy."""
        import urllib3

        proxy = _proxy_of(url, self.environ)
        if proxy not in self._pools:
            options: dict[str, Any] = {"ssl_context": self._tls(), "maxsize": 4}
            self._pools[proxy] = (
                urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)
            )
        return self._pools[proxy]

    def _tls(self) -> ssl.SSLContext:
        """Return the TLS settings.  Raise RegistryError for a file that cannot be read."""
        context = ssl.create_default_context()
        files = [self.environ.get(n) for n in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")]
        files.append(str(self.settings.ca) if self.settings.ca else None)
        try:
            for file in filter(None, files):
                context.load_verify_locations(file)
            if self.settings.certificate:
                context.load_cert_chain(self.settings.certificate, self.settings.key)
        except (OSError, ssl.SSLError) as error:
            raise RegistryError(
                f"cannot read the certificates: {error}", where=self.host
            ) from error
        return context

    def _unreachable(self, url: str, error: Exception | None) -> RegistryError:
        return NoAnswerError(
            f"the registry does not answer: {_reason(error)}",
            where=shown(url),
            hint="check the name, the network, and the proxy variables",
        )

    def close(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            pool.clear()


def shown(url: str) -> str:
    """Return what a message may show of a URL: no user, no query, which may hold signatures."""
    parts = urlsplit(url)
    return f"{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"


def _network_errors() -> tuple[type[Exception], ...]:
    from urllib3.exceptions import HTTPError

    return (HTTPError, OSError)


def _cause(error: Exception) -> Exception:
    """Return the innermost cause of an error; urllib3 keeps it as `reason` or first argument."""
    for _ in range(8):
        inner = getattr(error, "reason", None) or next(iter(error.args), None)
        inner = inner if isinstance(inner, Exception) else error.__cause__
        if not isinstance(inner, Exception):
            break
        error = inner
    return error


def _reason(error: Exception | None) -> str:
    """Return the words of a failure, without addresses of objects or URLs."""
    if error is None:
        return "no answer"
    cause = _cause(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({cause.verify_message})"
    if isinstance(cause, ssl.SSLError):
        return f"no TLS ({cause.reason})"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return type(cause).__name__


def _is_final(error: Exception | None) -> bool:
    """True for a failure that another try cannot end."""
    return error is not None and isinstance(_cause(error), ssl.SSLCertVerificationError)


def _lower(headers: Any) -> dict[str, str]:
    return {str(name).lower(): str(value) for name, value in headers.items()}


def _retry_after(headers: Any, default: float) -> float:
    """Return the seconds that the header ``Retry-After`` asks for: a number or a date."""
    text = str(headers.get("Retry-After") or "")
    if text.strip().isdecimal():
        return float(text.strip()[:6])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError):
        return default


def _proxy_of(url: str, environ: Mapping[str, str]) -> str:
    """Return the proxy for a URL as the variables say, empty for none."""
    parts = urlsplit(url)
    found = {
        name.lower().removesuffix("_proxy"): value
        for name, value in environ.items()
        if name.lower().endswith("_proxy") and value
    }
    if proxy_bypass_environment(parts.netloc, found) or not found:
        return ""
    return found.get(parts.scheme) or found.get("all") or ""
