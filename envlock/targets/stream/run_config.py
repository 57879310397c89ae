"""The run configuration of an image or container (OCI image-spec, config.md; Docker Engine API)."""

from __future__ import annotations

from typing import Any

from envlock.model.process import ProcessConfig
from envlock.targets.base import parse_environ


def run_configuration(config: dict[str, Any]) -> ProcessConfig:
    """Return the ``config`` object of an image or container as a ProcessConfig."""
    return ProcessConfig(
        cmd=tuple(config.get("Cmd") or ()),
        entrypoint=tuple(config.get("Entrypoint") or ()),
        user=config.get("User") or "",
        workdir=config.get("WorkingDir") or "",
        ports=tuple(config.get("ExposedPorts") or ()),
        volumes=tuple(config.get("Volumes") or ()),
        labels=config.get("Labels") or {},
        stop_signal=config.get("StopSignal") or "",
        environ=parse_environ(config.get("Env") or ()),
    )
