"""What a container, image or process runs, and with which environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessConfig:
    """The run configuration, as in an OCI image config.  Empty means not set.

    `is_session`: `environ` is that of the session that looks, not of what is run.
    `environ` is the complete environment, secrets included: it is redacted by
    `envlock.capture.redact` before anything is recorded.  `maps` is the text of /proc/PID/maps of
    a process, with paths as seen from the target's root.  Of a process are also known `exe`, its
    program; `container`, the engine and the number of the container it runs in; `namespaces`, the
    kinds of those that it has to itself; `unreadable`, what may not be seen and why.
    """

    cmd: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    user: str = ""
    workdir: str = ""
    ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    stop_signal: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)
    is_session: bool = False
    maps: str = ""
    exe: str = ""
    container: str = ""
    namespaces: tuple[str, ...] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)
