"""A container of a Docker-compatible engine, running or stopped, through its export stream.

The container needs no tools inside, and nothing is run in it.  Which engine answers follows the
docker command: DOCKER_HOST, else the current context.  Sources: Docker Engine API, "Export a
container", "Get an archive of a filesystem resource"; Go's io/fs for the mode bits.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from envlock.errors import TargetError
from envlock.model.process import ProcessConfig
from envlock.model.tree import Entry, EntryType
from envlock.target.base import ScanPlan
from envlock.target.runconfig import run_configuration
from envlock.target.streaming import StreamingTarget
from envlock.target.tarstream import Member, members

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

_CHUNK = 2 * 1024 * 1024
_TIMEOUT_SECONDS = 600
"""Longest silence of the engine; a stopped disk is rather an error than a wait without end."""

_GO_DIRECTORY, _GO_SYMLINK = 1 << 31, 1 << 27


class ContainerTarget(StreamingTarget):
    """One container.  `discard` removes it at `close`, for containers made only to look at."""

    def __init__(
        self,
        reference: str,
        client: DockerClient,
        container: Container,
        *,
        discard: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(reference)
        self._client = client
        self._container = container
        self._discard = discard

    @classmethod
    def connect(cls, name: str) -> ContainerTarget:
        """Return the container `name`.  Raise TargetError when it or the engine is not there."""
        client = connect()
        with engine_errors(f"docker:{name}", "list containers with `docker ps -a`"):
            return cls(f"docker:{name}", client, client.containers.get(name))

    def process(self) -> ProcessConfig:
        """Return what the container runs, as its configuration says."""
        return run_configuration(self._container.attrs.get("Config") or {})

    def scan(self, plan: ScanPlan) -> Iterator[Entry]:
        """Read the export; volumes are no part of it and each is a gap."""
        for mount in self._container.attrs.get("Mounts") or ():
            plan.on_gap(mount["Destination"], f"a {mount['Type']} mounted here, not captured")
        yield from super().scan(plan)

    def close(self) -> None:
        """Remove a container that was made only to look at; close the connection."""
        if self._discard is not None:
            self._discard()
            self._discard = None
        self._client.close()

    def _layers(self) -> Iterator[Iterable[bytes]]:
        with engine_errors(self.reference, "the container went away; try again"):
            stream: Any = self._container.export(chunk_size=_CHUNK)
        yield self._guarded(stream)

    def _guarded(self, stream: Iterable[bytes]) -> Iterator[bytes]:
        with engine_errors(self.reference, "the engine stopped in the middle; try again"):
            yield from stream

    def _fetch(self, path: str) -> Iterator[Member]:
        from docker.errors import NotFound

        with engine_errors(self.reference, "the container went away; try again"):
            try:
                stream, _ = self._container.get_archive(path, chunk_size=_CHUNK)
            except NotFound:
                return
        folder = path.rstrip("/").rpartition("/")[0]
        for entry, chunks in members(self._guarded(stream), self.reference):
            target = entry.target
            if entry.type is EntryType.HARDLINK:
                target = f"{folder}{target}"
            yield Member(entry._replace(path=f"{folder}{entry.path}", target=target), chunks)

    def _peek(self, path: str) -> Entry | None:
        api = self._client.api
        url = f"{api.base_url}/v{api.api_version}/containers/{self._container.id}/archive"
        with engine_errors(self.reference, "the container went away; try again"):
            answer = api.head(url, params={"path": path}, timeout=_TIMEOUT_SECONDS)
        header = answer.headers.get("X-Docker-Container-Path-Stat")
        if answer.status_code != 200 or not header:
            return None
        found: dict[str, Any] = json.loads(base64.b64decode(header))
        mode = int(found["mode"])
        kind = EntryType.FILE
        if mode & _GO_DIRECTORY:
            kind = EntryType.DIRECTORY
        elif mode & _GO_SYMLINK:
            kind = EntryType.SYMLINK
        return Entry(path, kind, mode & 0o777, target=found.get("linkTarget", ""))


def connect() -> DockerClient:
    """Return a client of the engine that the docker command would use.

    Raise TargetError when none answers.
    """
    import docker

    with engine_errors("docker", "start the engine, or set DOCKER_HOST"):
        if os.environ.get("DOCKER_HOST"):
            return docker.from_env(timeout=_TIMEOUT_SECONDS)
        client: DockerClient = docker.DockerClient.from_context(timeout=_TIMEOUT_SECONDS)
        return client


@contextmanager
def engine_errors(where: str, hint: str) -> Iterator[None]:
    """Turn whatever the SDK raises into a TargetError with one sentence."""
    from docker.errors import APIError, DockerException
    from requests.exceptions import RequestException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except APIError as error:
        raise TargetError(
            _sentence(error.explanation or str(error)), where=where, hint=hint
        ) from error
    except (DockerException, RequestException, HTTPError, OSError) as error:
        raise TargetError("the Docker engine does not answer", where=where, hint=hint) from error


def _sentence(message: str) -> str:
    return message.removeprefix("Error response from daemon: ").strip().rstrip(".")
