"""An image of a Docker-compatible engine, seen through a container that is created, never started.

The engine puts a few empty mount points into any container (see `INJECTED`); they are of noisy
classes, and a verification does not miss them.
"""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

from envlock.model.process import ProcessConfig
from envlock.targets.stream.container import ContainerTarget, connect, engine_errors
from envlock.targets.stream.run_config import run_configuration

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container
    from docker.models.images import Image

LABEL = "io.envlock.temporary"
"""Marks the containers that envlock makes to look at an image."""

INJECTED = frozenset(
    {
        "/.dockerenv",
        "/dev/console",
        "/dev/pts",
        "/dev/shm",  # noqa: S108  a name in a target
        "/etc/hostname",
        "/etc/hosts",
        "/etc/mtab",
        "/etc/resolv.conf",
    }
)
"""What an engine adds to a container when the image lacks it (moby, daemon/initlayer)."""


class ImageTarget(ContainerTarget):
    """One image.  Its container is made when it is first needed, and removed by `close`."""

    def __init__(self, reference: str, client: DockerClient, image: Image) -> None:
        super().__init__(reference, client)
        self._image = image
        self._name = ""

    @classmethod
    def connect(cls, name: str) -> ImageTarget:
        """Return the image `name`, which is not pulled.  Raise TargetError when it is not there."""
        client = connect()
        reference = f"image:{name}"
        with engine_errors(reference, "list images with `docker images`"):
            return cls(reference, client, client.images.get(name))

    def process(self) -> ProcessConfig:
        """Return what the image runs, as its configuration says."""
        return run_configuration(self._image.attrs.get("Config") or {})

    def close(self) -> None:
        """Remove the container, also one whose creation was interrupted; close the connection."""
        name, self._name = self._name, ""
        if name:
            with engine_errors(self.reference, f"remove it with `docker rm {name}`"):
                _remove(self._client, name)
        super().close()

    def _create(self) -> Container:
        # Named before it is asked for: after Ctrl-C only the name tells what to remove.
        self._name = f"envlock-{uuid.uuid4().hex[:16]}"
        with engine_errors(self.reference, "is the image complete?"), ThreadPoolExecutor(1) as pool:
            # Beside this thread: an engine finishes a request whose sender hung up, so that Ctrl-C
            # must wait for its answer, or `close` may look for the container before it is there.
            return pool.submit(
                self._client.containers.create,
                self._image,
                # An image may have no command; a container needs one, though it is never run.
                command=["envlock"],
                name=self._name,
                labels={LABEL: "true"},
                network_disabled=True,
            ).result()


def _remove(client: DockerClient, name: str) -> None:
    """Remove a container and its volumes; nothing when there is none of that name."""
    from docker.errors import NotFound

    with suppress(NotFound):
        client.api.remove_container(name, v=True, force=True)
