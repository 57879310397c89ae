"""A proxy in front of a registry that cuts, delays and lies, and one that wants bearer tokens."""

from __future__ import annotations

import http.client
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import BinaryIO, NamedTuple
from urllib.parse import parse_qs, urlsplit


class Reply(NamedTuple):
    """What the registry answered, or what a fault puts in its place.

    With `cut` the connection ends after that many bytes of the body.  With `pause` so many bytes
    are sent, and the others once the event is set.
    """

    status: int
    headers: dict[str, str]
    content: bytes
    cut: int | None = None
    delay: float = 0.0
    pause: tuple[int, threading.Event] | None = None


class Question(NamedTuple):
    """A request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    content: bytes


Fault = Callable[[Question, Callable[[], Reply]], Reply]
"""(the request, a function that asks the registry) -> what is answered."""


def honest(_question: Question, ask: Callable[[], Reply]) -> Reply:
    """Answer what the registry answers."""
    return ask()


@contextmanager
def proxy(registry: str, fault: Fault = honest) -> Iterator[tuple[str, list[Question]]]:
    """Run a proxy in front of a registry; yield its host and port, and the requests it sees."""
    seen: list[Question] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_arguments: object) -> None:
            return None

        def handle_one(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            content = self.rfile.read(size)
            headers = dict(self.headers.items())
            question = Question(self.command, self.path, headers, content)
            seen.append(question)
            reply = fault(question, lambda: _ask(registry, question, self.headers["Host"]))
            time.sleep(reply.delay)
            self._answer(reply)

        def _answer(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                    self.send_header(name, value)
            size = reply.headers.get("Content-Length", str(len(reply.content)))
            self.send_header(
                "Content-Length", size if self.command == "HEAD" else str(len(reply.content))
            )
            self.end_headers()
            if self.command != "HEAD":
                with suppress(ConnectionError):  # whoever asked may be gone
                    self.wfile.write(_after_pause(reply, self.wfile))
            if reply.cut is not None:
                self.close_connection = True
                self.connection.close()

    for method in ("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.handle_one)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()


def _after_pause(reply: Reply, sink: BinaryIO) -> bytes:
    """Write what comes before a pause, wait, and return the rest."""
    if reply.pause is None:
        return reply.content[: reply.cut]
    size, goes_on = reply.pause
    sink.write(reply.content[:size])
    sink.flush()
    goes_on.wait(120)
    return reply.content[size : reply.cut]


_OWN = ("host", "authorization")
"""Headers that the registry behind the proxy does not get as they are."""


def _ask(registry: str, question: Question, own: str) -> Reply:
    connection = http.client.HTTPConnection(registry, timeout=30)
    kept = {k: v for k, v in question.headers.items() if k.lower() not in _OWN}
    # The registry makes its absolute addresses of this header, so that uploads go on here.
    connection.request(question.method, question.path, question.content, {**kept, "Host": own})
    response = connection.getresponse()
    reply = Reply(response.status, dict(response.getheaders()), response.read())
    connection.close()
    return reply


class TokenServer:
    """Hands out tokens for a user with a password or a refresh token; a fault for `proxy`."""

    def __init__(self, user: str, password: str, refresh_token: str = "") -> None:
        self.user, self.password, self.refresh_token = user, password, refresh_token
        self.rights: dict[str, set[str]] = {}
        self.asked: list[str] = []

    def __call__(self, question: Question, ask: Callable[[], Reply]) -> Reply:
        """Answer at ``/token``; everything else needs a token with the right for it."""
        path = urlsplit(question.path)
        if path.path == "/token":
            return self._token(question)
        token = question.headers.get("Authorization", "").removeprefix("Bearer ")
        repository = (
            path.path.removeprefix("/v2/").partition("/blobs/")[0].partition("/manifests/")[0]
        )
        action = "pull" if question.method in ("GET", "HEAD") else "push"
        needed = f"repository:{repository}:{action}"
        if path.path != "/v2/" and needed in self.rights.get(token, ()):
            return ask()
        host = question.headers["Host"]
        challenge = f'Bearer realm="http://{host}/token",service="tests, with a comma"'
        return Reply(401, {"WWW-Authenticate": challenge}, b"")

    def _token(self, question: Question) -> Reply:
        if question.method == "POST":
            fields = parse_qs(question.content.decode())
            allowed = fields.get("refresh_token") == [self.refresh_token]
            scopes = fields.get("scope", [""])[0].split()
        else:
            import base64

            wanted = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            allowed = question.headers.get("Authorization") == f"Basic {wanted}"
            scopes = parse_qs(urlsplit(question.path).query).get("scope", [])
        self.asked += scopes
        if not allowed:
            return Reply(401, {}, b"")
        token = secrets.token_urlsafe(24)
        self.rights[token] = {
            f"{head}:{action}"
            for scope in scopes
            for head, _, actions in [scope.rpartition(":")]
            for action in actions.split(",")
        }
        return Reply(200, {}, json.dumps({"token": token, "expires_in": 300}).encode())

    def revoke(self) -> None:
        """Make every token that was handed out worthless."""
        self.rights.clear()
