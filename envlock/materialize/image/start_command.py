"""The ``docker run`` command for an image: with the ports, volumes and variables its lock names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from envlock.materialize.image.description import process_of
from envlock.model.lock import Lock

HOST_PATH = "HOST_PATH"
"""Stands where the person must name a directory of the own machine."""

_NOT_IN_A_NAME = re.compile(r"[^a-zA-Z0-9]+")


def start_command(lock: Lock, image: str) -> tuple[str, ...]:
    """Return the words of the command that starts `image` as `lock` says it was started.

    Ports are those that were published, else those that the image exposes, each to the same
    number.  Volumes get names made of their paths; of a mounted directory the lock has no source,
    so `HOST_PATH` stands for it.  A variable whose value is not recorded is given by name alone,
    and the engine takes its value from the caller's environment.
    """
    return (
        *("docker", "run", "--rm"),
        *(word for port in _ports(lock) for word in ("-p", port)),
        *(word for volume in _volumes(lock) for word in ("-v", volume)),
        *(word for name in variables_to_give(lock) for word in ("-e", name)),
        image,
    )


def variables_to_give(lock: Lock) -> Sequence[str]:
    """Return the variables of the program that the lock names without their values."""
    if not lock.get("process"):
        return ()
    return [name for name, facts in lock.sections.get("env", {}).items() if "secret" in facts]


def _ports(lock: Lock) -> list[str]:
    published = lock.get("process").get("published", "").split()
    exposed = (f"{port.partition('/')[0]}:{port}" for port in process_of(lock).ports)
    return [port.removesuffix("/tcp").removeprefix(":") for port in published or exposed]


def _volumes(lock: Lock) -> Iterator[str]:
    mounted = set()
    for mount in lock.get("process").get("mounts", "").split():
        kind, _, place = mount.partition(":")
        path = place.removesuffix(":ro")
        mounted.add(path)
        if kind in ("bind", "volume"):
            yield f"{HOST_PATH if kind == 'bind' else _name(path)}:{place}"
    for path in process_of(lock).volumes:
        if path not in mounted:
            yield f"{_name(path)}:{path}"


def _name(path: str) -> str:
    return _NOT_IN_A_NAME.sub("-", path).strip("-") or "data"
