"""An image of a Docker-compatible engine, read from a container that is created but never started.

What the engine adds to that container is left out (`envlock.targets.stream.engine_paths`).
"""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from envlock.model.process import ProcessConfig
from envlock.targets.base import Target
from envlock.targets.engines import (
    closed_on_error,
    connect,
    docker_command,
    engine_errors,
    split_engine,
)
from envlock.targets.stream.container import ContainerTarget
from envlock.targets.stream.run_config import run_configuration
from envlock.targets.stream.temporary import LABEL, delete, delete_abandoned, own_label

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container
    from docker.models.images import Image


class ImageTarget(ContainerTarget):
    """One image.  Its container is created when it is first needed, and removed by `close`."""

    _has_own_mounts = False  # its volumes were filled from the image

    def __init__(self, reference: str, client: DockerClient, image: Image) -> None:
        super().__init__(reference, client)
        self._image = image
        self._name = ""

    @classmethod
    def connect(cls, operand: str) -> Target:
        """Return the image ``REF[@ENGINE]``, without pulling it.

        Raise TargetError when it or the engine is missing.
        """
        reference = f"image:{operand}"
        name, engine = split_engine(operand)
        client = connect(engine, reference)
        with (
            closed_on_error(client),
            engine_errors(reference, f"list images with `{docker_command(engine)} images`", client),
        ):
            return cls(reference, client, client.images.get(name))

    def process(self) -> ProcessConfig:
        """Return the run configuration of the image."""
        return run_configuration(self._image.attrs.get("Config") or {})

    def fixed_id(self) -> str:
        """Return the id of the image, and what reads it: engines differ in what they add."""
        with engine_errors(self.reference, "is the engine running?", self._client):
            engine = self._client.version()
        parts = sorted((c.get("Name"), c.get("Version")) for c in engine.get("Components") or ())
        driver = (self._image.attrs.get("GraphDriver") or {}).get("Name")
        return f"image {self._image.id} {driver} {parts}" if self._image.id else ""

    def close(self) -> None:
        """Remove the container, also one whose creation was interrupted; close the connection."""
        name, self._name = self._name, ""
        if name:
            docker = docker_command(split_engine(self.reference)[1])
            with engine_errors(
                self.reference, f"remove it with `{docker} rm {name}`", self._client
            ):
                delete(self._client, name)
        super().close()

    def _create(self) -> Container:
        # The name is chosen here: after Ctrl-C it is all that is known of what must be removed.
        self._name = f"envlock-{uuid.uuid4().hex[:16]}"
        errors = engine_errors(self.reference, "is the image complete?", self._client)
        with errors, ThreadPoolExecutor(1) as pool:
            delete_abandoned(self._client)
            # In a thread, so that Ctrl-C waits for the response: the engine completes the request
            # of a client that hung up, perhaps after `close` looked for the container.
            return pool.submit(
                self._client.containers.create,
                self._image,
                # A container needs a command, even if it is never started; an image may have none.
                command=["envlock"],
                name=self._name,
                labels={LABEL: own_label()},
                network_disabled=True,
            ).result()
