"""A container of a Docker-compatible engine, running or stopped, through its export stream.

The container needs no tools inside, and nothing is run in it.  `envlock.targets.engines` says which
engine it is.  Sources: Docker Engine API, "Export a container", "Get an archive of a filesystem
resource"; Go's io/fs for the mode bits.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from docker.errors import APIError

from envlock.errors import TargetError
from envlock.model.document import parse_json
from envlock.model.process import ProcessConfig
from envlock.model.text import escape
from envlock.model.tree import Entry, EntryType
from envlock.targets.base import ScanPlan, Target
from envlock.targets.engines import (
    TIMEOUT_SECONDS,
    closed_on_error,
    connect,
    docker_command,
    engine_errors,
    split_engine,
)
from envlock.targets.local.mounted import MountedTarget
from envlock.targets.stream.engine_paths import remove_engine_paths
from envlock.targets.stream.file_tree import FileTree
from envlock.targets.stream.run_config import host_settings, run_configuration
from envlock.targets.stream.streaming import StreamingTarget
from envlock.targets.stream.tar_reader import Member, members

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container
    from requests import Response

_CHUNK = 2 * 1024 * 1024

_OK, _NOT_FOUND = 200, 404
_GO_DIRECTORY, _GO_SYMLINK = 1 << 31, 1 << 27


class ContainerTarget(StreamingTarget):
    """One container."""

    _has_own_mounts = True
    """False where a mount only holds what the image has at the same place."""

    def __init__(
        self, reference: str, client: DockerClient, container: Container | None = None
    ) -> None:
        super().__init__(reference)
        self._client = client
        self._found = container

    @classmethod
    def connect(cls, operand: str) -> Target:
        """Return the container ``NAME[@ENGINE]``, read where this machine has it mounted if it has.

        Raise TargetError when it or the engine is missing.
        """
        reference = f"docker:{operand}"
        name, engine = split_engine(operand)
        client = connect(engine, reference)
        with (
            closed_on_error(client),
            engine_errors(
                reference, f"list containers with `{docker_command(engine)} ps -a`", client
            ),
        ):
            container = client.containers.get(name)
            exported = cls(reference, client, container)
            folder, pid = _mount_of(container.attrs)
            mounted = MountedTarget.open_mount(folder, pid, exported) if folder else None
            return mounted or exported

    def process(self) -> ProcessConfig:
        """Return the run configuration of the container."""
        attrs = self._container.attrs
        config = run_configuration(attrs.get("Config") or {})
        started = host_settings(attrs.get("HostConfig") or {}, attrs.get("Mounts") or ())
        return replace(config, settings={**config.settings, **started})

    def programs(self) -> frozenset[str] | None:
        """Return the programs that run in the container, as the engine's ps(1) names them."""
        with engine_errors(self.reference, "the container was removed; try again", self._client):
            self._container.reload()
            if not (self._container.attrs.get("State") or {}).get("Running"):
                return frozenset()
            with suppress(APIError):  # it ended, or the engine has no ps
                listed = self._container.top(ps_args="-eo pid,comm")
                return frozenset(str(row[-1]) for row in listed.get("Processes") or ())
        return None

    def scan(self, plan: ScanPlan) -> Iterator[Entry]:
        """Read the export; it does not contain volumes, so each is a gap."""
        for path, kind in self.mounted().items():
            plan.on_gap(path, f"a {kind} mounted here, not captured")
        yield from super().scan(plan)

    def mounted(self) -> Mapping[str, str]:
        """Return what is mounted in it: path -> kind, such as ``volume``."""
        mounts = self._mounts() if self._has_own_mounts else ()
        return {mount["Destination"]: mount["Type"] for mount in mounts}

    def without_engine_paths(self, entries: Mapping[str, Entry]) -> Mapping[str, Entry]:
        """Return entries without what the engine made, and with the times that were before."""
        tree = FileTree()
        tree.entries.update(entries)
        self._remove_engine_paths(tree)
        return tree.entries

    def _read_layers(self, plan: ScanPlan) -> FileTree:
        tree = super()._read_layers(plan)
        self._remove_engine_paths(tree)
        return tree

    def _remove_engine_paths(self, tree: FileTree) -> None:
        created = datetime.fromisoformat(self._container.attrs["Created"])
        made = () if self._has_own_mounts else (mount["Destination"] for mount in self._mounts())
        remove_engine_paths(tree, int(created.timestamp()), made)

    def _mounts(self) -> list[dict[str, str]]:
        return self._container.attrs.get("Mounts") or []

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    @property
    def _container(self) -> Container:
        if self._found is None:
            self._found = self._create()
        return self._found

    def _create(self) -> Container:
        """Create the container to read, where none was given."""
        raise NotImplementedError

    def _layers(self) -> Iterator[Iterable[bytes]]:
        with engine_errors(self.reference, "the container was removed; try again", self._client):
            stream: Any = self._container.export(chunk_size=_CHUNK)
        yield self._guarded(stream)

    def _guarded(self, stream: Iterable[bytes]) -> Iterator[bytes]:
        with engine_errors(
            self.reference, "the engine stopped during the export; try again", self._client
        ):
            yield from stream

    def _fetch(self, path: str) -> Iterator[Member]:
        # The engine returns an empty archive for a path that is not UTF-8; its parent has it.
        while path and escape(path) != path:
            path = path.rpartition("/")[0]
        response = self._request("get", path, stream=True)
        if response is None:
            return
        parent = path.rstrip("/").rpartition("/")[0]
        chunks = self._guarded(response.iter_content(_CHUNK))
        with closing(response):
            for entry, content in members(chunks, self.reference):
                target = entry.target
                if entry.type is EntryType.HARDLINK:
                    target = f"{parent}{target}"
                yield Member(entry._replace(path=f"{parent}{entry.path}", target=target), content)

    def _stat_in_root(self, path: str) -> Entry | None:
        response = self._request("head", path)
        if response is None:
            return None
        header = response.headers.get("X-Docker-Container-Path-Stat")
        if not header:
            return None
        found: dict[str, Any] = parse_json(base64.b64decode(header))
        mode = int(found["mode"])
        kind = EntryType.FILE
        if mode & _GO_DIRECTORY:
            kind = EntryType.DIRECTORY
        elif mode & _GO_SYMLINK:
            kind = EntryType.SYMLINK
        return Entry(path, kind, mode & 0o777, target=found.get("linkTarget", ""))

    def _request(self, method: str, path: str, *, stream: bool = False) -> Response | None:
        """Request the archive of a path; None when the path does not exist."""
        api = self._client.api
        url = f"{api.base_url}/v{api.api_version}/containers/{self._container.id}/archive"
        with engine_errors(self.reference, "the container was removed; try again", self._client):
            response: Response = api.request(
                method,
                url,
                params={"path": path or "/"},
                stream=stream,
                timeout=TIMEOUT_SECONDS,
            )
        if response.status_code == _OK:
            return response
        response.close()
        if response.status_code == _NOT_FOUND:
            return None
        raise TargetError(f"the engine refuses to read {escape(path)}", where=self.reference)


def _mount_of(attrs: Mapping[str, Any]) -> tuple[str, int]:
    """Return where this machine may have a container mounted, and its first process.

    Empty for one that does not run, and where only root could read it.
    """
    driver, pid = attrs.get("GraphDriver") or {}, (attrs.get("State") or {}).get("Pid") or 0
    if os.geteuid() or driver.get("Name") != "overlay2" or pid <= 0:
        return "", 0
    return str((driver.get("Data") or {}).get("MergedDir") or ""), pid
