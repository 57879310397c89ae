"""Authorization for a registry: Basic, or a bearer token of its token server.

Source: Docker's "Token Authentication Specification" and "OAuth2 token authentication".
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from envlock.errors import RegistryError
from envlock.model.document import parse_json
from envlock.registry.challenge import Challenge, parse_challenges
from envlock.registry.credentials import Credentials
from envlock.registry.transport import Answer, Body, Transport, shown

CLIENT = "envlock"
LEAST_SECONDS = 60
"""How long a token counts as valid whose server does not say."""
_EARLY = 10
"""Seconds before its end that a token is replaced."""


def scope_of(repository: str, actions: str) -> str:
    """Return the name of a right: ``repository:envs:pull,push``."""
    return f"repository:{repository}:{actions}"


class _Token(NamedTuple):
    """A token and the time of the clock when it ends."""

    value: str
    ends: float


class Authorizer:
    """Makes the Authorization header for requests to one registry.

    `clock` returns seconds; tests choose another one.
    """

    def __init__(
        self,
        transport: Transport,
        credentials: Credentials,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport
        self._credentials = credentials
        self._clock = clock
        self._challenge: Challenge | None = None
        self._tokens: dict[str, _Token] = {}

    def header(self, scopes: tuple[str, ...]) -> Mapping[str, str]:
        """Return the header for requests that need these rights; none before a challenge."""
        challenge = self._challenge
        if challenge is None:
            return {}
        if challenge.scheme == "basic":
            return {"Authorization": self._credentials.basic}
        token = self._tokens.get(" ".join(scopes))
        if token is None or token.ends - _EARLY < self._clock():
            token = self._fetch(challenge, scopes)
            self._tokens[" ".join(scopes)] = token
        return {"Authorization": f"Bearer {token.value}"}

    @property
    def scheme(self) -> str:
        """How the registry wants to be asked, ``bearer`` or ``basic``; empty for anybody."""
        return self._challenge.scheme if self._challenge else ""

    def learn(self, answer: Answer, scopes: tuple[str, ...]) -> bool:
        """Take the challenge of a 401; return True when it is worth asking again."""
        known = {c.scheme: c for c in parse_challenges(answer.headers.get("www-authenticate", ""))}
        challenge = known.get("bearer") or (known.get("basic") if self._credentials.user else None)
        if challenge is None:
            return False
        is_new = self._challenge is None or (
            challenge.parameters.get("realm") != self._challenge.parameters.get("realm")
        )
        is_stale = challenge.scheme == "bearer" and " ".join(scopes) in self._tokens
        self._tokens.pop(" ".join(scopes), None)
        self._challenge = challenge
        return is_new or is_stale

    def _fetch(self, challenge: Challenge, scopes: tuple[str, ...]) -> _Token:
        """Return a token of the token server.  Raise RegistryError when it refuses."""
        realm = challenge.parameters.get("realm", "")
        parts = urlsplit(realm)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise RegistryError("it names no token server", where=self._transport.host)
        if parts.scheme == "http" and not self._transport.settings.is_plain:
            raise RegistryError(
                "its token server has no TLS, so no credentials are sent", where=shown(realm)
            )
        service = challenge.parameters.get("service", "")
        answer = self._ask(realm, service, scopes)
        if answer.status != 200:
            raise RegistryError(
                f"the token server refuses ({answer.status}) {' '.join(scopes)}",
                where=shown(realm),
                hint=f"run `docker login {self._transport.host}` with an account that may do this",
            )
        try:
            document = parse_json(answer.content)
            value = document.get("token") or document.get("access_token")
            seconds = document.get("expires_in")
        except (ValueError, AttributeError) as error:
            raise RegistryError(
                "unexpected reply of the token server", where=shown(realm)
            ) from error
        if not isinstance(value, str) or not value.isascii() or not value.isprintable():
            raise RegistryError("unexpected reply of the token server", where=shown(realm))
        lasts = seconds if isinstance(seconds, int) and seconds > 0 else LEAST_SECONDS
        return _Token(value, self._clock() + lasts)

    def _ask(self, realm: str, service: str, scopes: tuple[str, ...]) -> Answer:
        """Ask the token server: with a refresh token by POST, else by GET."""
        found = self._credentials
        if found.refresh_token:
            form: dict[str, Any] = {
                "grant_type": "refresh_token",
                "service": service,
                "client_id": CLIENT,
                "scope": " ".join(scopes),
                "refresh_token": found.refresh_token,
            }
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            body = Body.of(urlencode(form).encode())
            return self._transport.request("POST", realm, headers=headers, body=body)
        query = [("service", service), *(("scope", scope) for scope in scopes)]
        separator = "&" if urlsplit(realm).query else "?"
        url = f"{realm}{separator}{urlencode(query, quote_via=quote)}"
        headers = {"Authorization": found.basic} if found.basic else {}
        return self._transport.request("GET", url, headers=headers)


def _unexpected(realm: str) -> RegistryError:
    return RegistryError("unexpected reply of the token server", where=shown(realm))
