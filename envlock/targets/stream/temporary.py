"""The containers that envlock creates to read an image, and those that killed processes left."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docker.errors import APIError, NotFound

if TYPE_CHECKING:
    from docker import DockerClient

LABEL = "io.envlock.temporary"
"""Label of these containers; its value says which process created one."""

_DAY_SECONDS = 86_400
_PROC = Path("/proc")
_START_TIME = 19
"""Position of the start time in /proc/PID/stat, counted from the state (proc_pid_stat(5))."""


def own_label() -> str:
    """Return the value of the label for this process: its kernel, namespace, number and start."""
    return _label(os.getpid())


def delete_abandoned(client: DockerClient, now: float | None = None) -> None:
    """Delete the containers of processes that ended; of other machines, those older than a day."""
    oldest = (time.time() if now is None else now) - _DAY_SECONDS
    api: Any = client.api  # its type stubs are incomplete
    for found in api.containers(all=True, filters={"label": LABEL}):
        value = found["Labels"].get(LABEL, "")
        if _has_ended(value) or found["Created"] < oldest:
            with suppress(APIError):  # another process deletes it just now
                delete(client, found["Id"])


def delete(client: DockerClient, name: str) -> None:
    """Delete a container and its volumes, if it exists."""
    with suppress(NotFound):
        client.api.remove_container(name, v=True, force=True)


def _has_ended(label: str) -> bool:
    """True when the process of a label ran on this machine, and runs no more."""
    place, _, process = label.rpartition("/")
    number, _, _ = process.partition(":")
    return place == _place() and number.isdecimal() and label != _label(int(number))


def _label(number: int) -> str:
    started = ""
    with suppress(OSError):
        stat = (_PROC / str(number) / "stat").read_text()
        started = stat[stat.rindex(")") + 2 :].split()[_START_TIME]
    return f"{_place()}/{number}:{started}"


def _place() -> str:
    """Return the running kernel and the namespace that gives this process its number."""
    try:
        kernel = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{kernel}/{os.readlink(_PROC / 'self/ns/pid')}"
    except OSError:
        return "unknown"
