"""What a container, image or process runs, and with which environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

HIDDEN = "hidden://hidden:hidden@hidden"
"""Stands for a value that is not known; it has the shape of a secret, so that no lock holds it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessConfig:
    """The run configuration, as in an OCI image config.  Empty means not set.

    `environ` is the complete environment, secrets included: it is redacted by
    `envlock.secrets.redact` before anything is recorded.  `is_session`: it is that of the session
    that looks, not of what is run.  `maps` is the text of /proc/PID/maps of a process, with paths
    as seen from the target's root.  Of a process are also known `exe`, its program; `container`,
    the engine and number of the container it runs in; `namespaces`, the kinds of those that it has
    to itself.  `image` is the image it is made from.  `unreadable` is what may not be seen, and
    why.
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
    image: str = ""
    container: str = ""
    namespaces: tuple[str, ...] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)
