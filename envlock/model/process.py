"""The run configuration of a container, image or process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

HIDDEN = "hidden://hidden:hidden@hidden"
"""Placeholder for an unknown value.  It looks like a secret, so that it is never recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessConfig:
    """The run configuration, as in an OCI image config.  Empty means not set.

    `environ` is the complete environment, secrets included: it is redacted by
    `envlock.secrets.redact` before anything is recorded.  `healthcheck` is the command that tells
    whether it works, `healthcheck_times` how often and how long it is tried.  `settings` are facts
    of how it was started: limits, capabilities, mounts.  `is_session`: the environment is that of
    the capturing session, not of a program to run.  `image` is the image of a container.

    For a process also: `exe`, its program; `maps`, the text of /proc/PID/maps with paths relative
    to the target's root; `container`, the engine and id of the container it runs in; `namespaces`,
    the kinds of namespace that it does not share.  `unreadable` maps what could not be read to the
    reason.
    """

    cmd: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    user: str = ""
    workdir: str = ""
    ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    stop_signal: str = ""
    healthcheck: tuple[str, ...] = ()
    healthcheck_times: str = ""
    shell: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    is_session: bool = False
    maps: str = ""
    exe: str = ""
    image: str = ""
    container: str = ""
    namespaces: tuple[str, ...] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)
