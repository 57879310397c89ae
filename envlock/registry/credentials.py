"""Credentials for a registry: from the environment, or from the files of Docker and of podman.

Sources: docker-login(1), "Credential helpers"; containers-auth.json(5).  Helpers are asked for
credentials only; envlock stores none.
"""

from __future__ import annotations

import base64
import binascii
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from envlock.errors import UsageError
from envlock.model.document import parse_json
from envlock.reading import read_file

_LIMIT = 1024 * 1024
_REFRESH = "<token>"
"""The user that a helper names when the secret is a refresh token."""
_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
_LOGIN = "run `docker login HOST` again"


class Credentials(NamedTuple):
    """A user with a password, or a refresh (identity) token; all empty for an anonymous user."""

    user: str = ""
    password: str = ""
    refresh_token: str = ""

    @property
    def basic(self) -> str:
        """The value of an Authorization header of the scheme Basic, empty without a user."""
        if not self.user:
            return ""
        pair = f"{self.user}:{self.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"

    def __repr__(self) -> str:
        """Show that there are credentials, never which."""
        return "Credentials(***)" if any(self) else "Credentials()"


ANONYMOUS = Credentials()


def find_credentials(host: str, repository: str, environ: Mapping[str, str]) -> Credentials:
    """Return the credentials for a repository, `ANONYMOUS` if there are none.

    ``ENVLOCK_REGISTRY_USER`` and ``ENVLOCK_REGISTRY_PASSWORD`` come first.  Of the keys of a file,
    which may be a host or a host with the beginning of a path, the longest that matches counts.
    Raise UsageError for a damaged file or a helper that fails.
    """
    user = environ.get("ENVLOCK_REGISTRY_USER", "")
    if user:
        return Credentials(user, environ.get("ENVLOCK_REGISTRY_PASSWORD", ""))
    parts = repository.split("/")
    keys = ["/".join((host, *parts[:count])) for count in range(len(parts), -1, -1)]
    for where, text in _configurations(environ):
        found = _of_configuration(where, text, keys, environ)
        if any(found):
            return found
    return ANONYMOUS


def _configurations(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield name and content of the configurations that exist, in the order they are asked."""
    if environ.get("DOCKER_AUTH_CONFIG"):
        yield "DOCKER_AUTH_CONFIG", environ["DOCKER_AUTH_CONFIG"]
    home, runtime = environ.get("HOME", ""), environ.get("XDG_RUNTIME_DIR", "")
    docker = environ.get("DOCKER_CONFIG") or (home and f"{home}/.docker")
    candidates = (
        docker and f"{docker}/config.json",
        environ.get("REGISTRY_AUTH_FILE"),
        runtime and f"{runtime}/containers/auth.json",
        home and f"{home}/.config/containers/auth.json",
    )
    for path in filter(None, candidates):
        try:
            yield path, read_file(Path(path), _LIMIT).decode("utf-8", "replace")
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise UsageError(
                f"cannot read the credentials: {error.strerror or error}", where=path
            ) from error


def _of_configuration(
    where: str, text: str, keys: list[str], environ: Mapping[str, str]
) -> Credentials:
    """Return what one configuration has for the first of `keys` that it knows."""
    try:
        document = parse_json(text)
        auths, helpers = document.get("auths") or {}, document.get("credHelpers") or {}
        known = {_plain(name): entry for name, entry in auths.items()}
        for key in keys:
            if key in helpers:
                return _ask(str(helpers[key]), key, where, environ)
            found = _entry(known.get(key) or {})
            if any(found):
                return found
        store = document.get("credsStore")
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(
            "the credentials are not a configuration of Docker", where=where, hint=_LOGIN
        ) from error
    return _ask(str(store), keys[-1], where, environ) if store else ANONYMOUS


def _plain(name: str) -> str:
    """Return the key of an entry without the scheme and the API version that old ones have."""
    return name.partition("://")[2].removesuffix("/").removesuffix("/v1") or name


def _entry(entry: Mapping[str, Any]) -> Credentials:
    """Return the credentials of one entry.  Raise ValueError for a damaged one."""
    token = str(entry.get("identitytoken") or "")
    user, password = str(entry.get("username") or ""), str(entry.get("password") or "")
    if entry.get("auth"):
        try:
            pair = base64.b64decode(str(entry["auth"]), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise ValueError("not base64") from error
        user, _, password = pair.partition(":")
        password = password.strip("\0")
    return Credentials(user, password, token)


def _ask(helper: str, key: str, where: str, environ: Mapping[str, str]) -> Credentials:
    """Ask a helper; one that knows nothing of the host, or is missing, gives `ANONYMOUS`."""
    from docker.credentials import Store
    from docker.credentials.errors import CredentialsNotFound, StoreError

    if not _HELPER.match(helper) or shutil.which(f"docker-credential-{helper}") is None:
        return ANONYMOUS
    try:
        store: Any = Store(helper, environment=dict(environ))
        found = store.get(key)
    except CredentialsNotFound:
        return ANONYMOUS
    except (StoreError, ValueError, KeyError) as error:
        raise UsageError(
            f"the credential helper docker-credential-{helper} failed", where=where, hint=_LOGIN
        ) from error
    user, secret = str(found.get("Username") or ""), str(found.get("Secret") or "")
    return Credentials(refresh_token=secret) if user == _REFRESH else Credentials(user, secret)
