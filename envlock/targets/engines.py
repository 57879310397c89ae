"""Which engine a reference names, and a client of it: contexts and addresses as docker has them.

Sources: docker(1), DOCKER_HOST, DOCKER_CONTEXT, DOCKER_TLS_VERIFY; docker-context(1), the files
below ``contexts/`` of the configuration; podman-system-service(1).
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import docker
from docker.constants import DEFAULT_DOCKER_API_VERSION
from docker.errors import APIError, DockerException, TLSParameterError
from docker.tls import TLSConfig
from docker.utils import kwargs_from_env
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

from envlock.errors import TargetError
from envlock.model.document import parse_json
from envlock.reading import read_file
from envlock.targets.engine_over_ssh import NO_SSH, EngineOverSsh, words_of

if TYPE_CHECKING:
    from docker import DockerClient

TIMEOUT_SECONDS = 600
"""Longest time that an engine may be silent: a hung engine must become an error."""
_CONNECT_SECONDS = 15
_LIMIT = 1024 * 1024
MOST_CONTEXTS = 1000
"""Most contexts that are listed where one is not found."""
_DIGEST = re.compile(r"[a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9a-f]{32,}\Z")
_DEFAULT = "default"
_SOCKET = "unix:///var/run/docker.sock"
_PORT = 2375


class Address(NamedTuple):
    """Where an engine is: as in DOCKER_HOST, and with which certificates, if any."""

    host: str
    tls: TLSConfig | None = None


def split_engine(operand: str) -> tuple[str, str]:
    """Return the name of a container or image and its engine, empty where none is named.

    The digest of an image is no engine.

    >>> split_engine("web@prod"), split_engine("web@ssh://anna@db1")
    (('web', 'prod'), ('web', 'ssh://anna@db1'))
    >>> split_engine("app@sha256:" + 64 * "0") == ("app@sha256:" + 64 * "0", "")
    True
    """
    name, mark, rest = operand.partition("@")
    first, more, engine = rest.partition("@")
    if mark and _DIGEST.match(first):
        name, rest = f"{name}@{first}", engine
        mark = more
    if mark and not (name and rest):
        raise TargetError(
            "a name and an engine are needed on both sides of @",
            where=operand,
            hint="write NAME@CONTEXT, or leave @ out for the engine of this machine",
        )
    return name, rest


def connect(engine: str, reference: str) -> DockerClient:
    """Return a client of an engine: a context, an address, or "" for the one of this machine.

    That is the one that the docker command would use, else podman's.  Raise TargetError, which
    names `reference`, when there is no such context or the engine does not answer.
    """
    if engine or os.environ.get("DOCKER_HOST"):
        return _open(engine or os.environ["DOCKER_HOST"], reference)
    context = current_context()
    try:
        return _open(context, reference)
    except TargetError:
        podman = _podman() if context == _DEFAULT else None
        if podman is None:
            raise
        return podman


def current_context() -> str:
    """Return the name of the context that the docker command would use."""
    named = os.environ.get("DOCKER_CONTEXT")
    if named:
        return named
    with suppress(OSError, ValueError):
        found = _document(_configuration() / "config.json").get("currentContext")
        return str(found or _DEFAULT)
    return _DEFAULT


def _address_of(engine: str, reference: str) -> Address:
    """Return the address of a context, or the one that is given.  Raise TargetError."""
    if "://" in engine:
        return _from_environ(engine)
    if engine == _DEFAULT:
        return _from_environ(os.environ.get("DOCKER_HOST") or _SOCKET)
    name = hashlib.sha256(engine.encode("utf-8", "surrogateescape")).hexdigest()
    try:
        document = _document(_configuration() / "contexts/meta" / name / "meta.json")
        endpoint = document["Endpoints"]["docker"]
        host, is_unverified = str(endpoint["Host"]), bool(endpoint.get("SkipTLSVerify"))
    except FileNotFoundError:
        known = ", ".join(sorted({_DEFAULT, *_contexts()}))
        raise TargetError(
            f"there is no Docker context {engine!r}",
            where=reference,
            hint=f"there are: {known}; an address is unix://, tcp:// or ssh://",
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TargetError(
            f"the Docker context {engine!r} is damaged",
            where=reference,
            hint=f"look at it with `docker context inspect {engine}`",
        ) from error
    files = _configuration() / "contexts/tls" / name / "docker"
    return Address(host, _tls(files, is_verified=not is_unverified))


def _tls(files: Path, *, is_verified: bool) -> TLSConfig | None:
    """Return the settings of TLS that a directory of certificates has, None without any."""
    ca, cert, key = (files / f"{name}.pem" for name in ("ca", "cert", "key"))
    if not (ca.is_file() or cert.is_file()):
        return None
    return TLSConfig(
        client_cert=(str(cert), str(key)) if cert.is_file() else None,
        ca_cert=str(ca) if ca.is_file() else None,
        verify=is_verified,
    )


def _from_environ(host: str) -> Address:
    """Return an address with the certificates that the environment names, as docker does."""
    found: Mapping[str, Any] = kwargs_from_env(environment={**os.environ, "DOCKER_HOST": host})
    is_tcp = host.startswith("tcp://")
    return Address(host, found.get("tls") if is_tcp and found.get("tls") else None)


def _configuration() -> Path:
    return Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")


def _document(path: Path) -> Mapping[str, Any]:
    """Return a document of the configuration.  Raise OSError, ValueError."""
    found = parse_json(read_file(path, _LIMIT))
    if not isinstance(found, dict):
        raise ValueError("not an object")  # noqa: TRY004  as other damage
    return found


def _contexts() -> Iterator[str]:
    """Yield the names of the contexts, without damaged ones."""
    with suppress(OSError):
        folders = sorted((_configuration() / "contexts/meta").iterdir())
        for folder in folders[:MOST_CONTEXTS]:
            with suppress(OSError, ValueError, KeyError):
                yield str(_document(folder / "meta.json")["Name"])


def _open(engine: str, reference: str) -> DockerClient:
    """Return a client of an engine.  Raise TargetError when it does not answer."""
    try:
        host, tls = _address_of(engine, reference)
    except TLSParameterError as error:
        raise TargetError(
            f"the certificates for {engine} cannot be used: {error.msg.rstrip('.')}",
            where=reference,
            hint="DOCKER_CERT_PATH, or the context, must have ca.pem, cert.pem and key.pem",
        ) from error
    scheme = host.partition("://")[0]
    if scheme not in ("unix", "tcp", "ssh"):
        raise TargetError(
            f"not an address of an engine: {host}",
            where=reference,
            hint="an address is unix://PATH, tcp://HOST:PORT or ssh://[USER@]HOST",
        )
    if scheme != "ssh":
        return _connected(engine, host, tls, reference)
    bridge = EngineOverSsh(host, reference)
    try:
        client = _connected(engine, host, tls, reference, bridge)
        bridge.close_with(client)
    except BaseException:  # Ctrl-C too
        bridge.close()
        raise
    return client


def _connected(
    engine: str,
    host: str,
    tls: TLSConfig | None,
    reference: str,
    bridge: EngineOverSsh | None = None,
) -> DockerClient:
    """Return a client of the engine at an address.  Raise TargetError when it does not answer."""
    try:
        if host.startswith("tcp://"):
            return _over_tcp(host, tls)
        return _client(bridge.url if bridge else host)
    except (DockerException, RequestException, HTTPError, OSError, ValueError) as error:
        why = "its certificate is not accepted" if "CERTIFICATE_VERIFY" in str(error) else ""
        why = bridge.last_words() if bridge else why
        raise TargetError(
            f"the Docker engine does not answer at {host}{f': {why}' if why else ''}",
            where=reference,
            hint=_what_must_work(engine, why),
        ) from error


def _what_must_work(engine: str, why: str) -> str:
    if why == NO_SSH:
        return "install the OpenSSH client, for example with `apt install openssh-client`"
    if engine == _DEFAULT:
        return "start the engine, or set DOCKER_HOST"
    return f"`{docker_command(engine)} version` must work"


def _client(url: str, tls: TLSConfig | None = None, version: str | None = None) -> DockerClient:
    return docker.DockerClient(
        base_url=url, tls=tls or False, version=version, timeout=TIMEOUT_SECONDS
    )


def _over_tcp(host: str, tls: TLSConfig | None) -> DockerClient:
    """Return a client of ``tcp://HOST[:PORT]``, which trusts what `tls` says and nothing else.

    Otherwise REQUESTS_CA_BUNDLE would come before the authority of the engine.
    """
    parts = urlsplit(host)
    address = (parts.hostname or "", parts.port or _PORT)
    socket.create_connection(address, _CONNECT_SECONDS).close()  # it fails soon
    with closing(_client(host, tls, DEFAULT_DOCKER_API_VERSION)) as first:
        first.api.trust_env = False
        version = str(first.version(api_version=False)["ApiVersion"])
    client = _client(host, tls, version)
    client.api.trust_env = False
    return client


def docker_command(engine: str) -> str:
    """Return how a docker command for an engine begins, for hints."""
    if not engine:
        return "docker"
    return f"docker -H {engine}" if "://" in engine else f"docker --context {engine}"


@contextmanager
def closed_on_error(client: DockerClient) -> Iterator[None]:
    """Close a client when an error leaves the block."""
    try:
        yield
    except BaseException:
        client.close()
        raise


def _podman() -> DockerClient | None:
    """Return a client of the user's podman or of the machine's, or None when neither answers."""
    runtime = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    for directory in (runtime, "/run"):
        url = f"unix://{directory}/podman/podman.sock"
        with suppress(TargetError), engine_errors("podman", ""):
            return docker.DockerClient(base_url=url, timeout=TIMEOUT_SECONDS)
    return None


@contextmanager
def engine_errors(where: str, hint: str, client: DockerClient | None = None) -> Iterator[None]:
    """Turn every error of the docker SDK into a TargetError of one sentence.

    With the `client`, it says what ssh said of its connection.
    """
    try:
        yield
    except APIError as error:
        raise TargetError(
            _sentence(error.explanation or str(error)), where=where, hint=hint
        ) from error
    except (DockerException, RequestException, HTTPError, OSError) as error:
        words = words_of(client)
        if words:
            hint = "the connection must last; try again"
        raise TargetError(
            f"the Docker engine does not answer{f': {words}' if words else ''}",
            where=where,
            hint=hint,
        ) from error


def _sentence(message: str) -> str:
    return message.removeprefix("Error response from daemon: ").strip().rstrip(".")
