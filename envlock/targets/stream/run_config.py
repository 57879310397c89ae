"""Run configurations, as Docker and OCI write them (OCI image-spec, config.md)."""

from __future__ import annotations

from typing import Any

from envlock.model.process import ProcessConfig
from envlock.targets.base import as_mapping


def run_configuration(config: dict[str, Any]) -> ProcessConfig:
    """Return an image or container configuration of the engine or of an OCI image as ours."""
    return ProcessConfig(
        cmd=tuple(config.get("Cmd") or ()),
        entrypoint=tuple(config.get("Entrypoint") or ()),
        user=config.get("User") or "",
        workdir=config.get("WorkingDir") or "",
        ports=tuple(config.get("ExposedPorts") or ()),
        volumes=tuple(config.get("Volumes") or ()),
        labels=config.get("Labels") or {},
        stop_signal=config.get("StopSignal") or "",
        environ=as_mapping(config.get("Env") or ()),
    )
