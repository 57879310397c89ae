"""An image of a Docker-compatible engine, seen through a container that is created, never started.

The engine puts a few empty mount points into any container (see `INJECTED`); they are of noisy
classes, and a verification does not miss them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from envlock.model.process import ProcessConfig
from envlock.target.container import ContainerTarget, connect, engine_errors
from envlock.target.runconfig import run_configuration

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
    """One image."""

    def __init__(
        self, reference: str, client: DockerClient, image: Image, container: Container
    ) -> None:
        def discard() -> None:
            with engine_errors(reference, f"remove it with `docker rm {container.short_id}`"):
                container.remove(force=True, v=True)

        super().__init__(reference, client, container, discard=discard)
        self._image = image

    @classmethod
    def connect(cls, name: str) -> ImageTarget:
        """Return the image `name`, which is not pulled.  Raise TargetError when it is not there."""
        client = connect()
        reference = f"image:{name}"
        with engine_errors(reference, "list images with `docker images`"):
            image = client.images.get(name)
            # An image may have no command; a container needs one, though it is never run.
            container = client.containers.create(
                image, command=["envlock"], labels={LABEL: "true"}, network_disabled=True
            )
        return cls(reference, client, image, container)

    def process(self) -> ProcessConfig:
        """Return what the image runs, as its configuration says."""
        return run_configuration(self._image.attrs.get("Config") or {})
