"""The containers of a compose project, found by the labels that compose sets.

Source: Compose specification and docker compose, ``com.docker.compose.*`` labels.
"""

from __future__ import annotations

from envlock.errors import TargetError
from envlock.targets.groups import Group, Service
from envlock.targets.stream.container import connect, engine_errors

_PROJECT = "com.docker.compose.project"
_SERVICE = "com.docker.compose.service"
_NUMBER = "com.docker.compose.container-number"
_ONE_OFF = "com.docker.compose.oneoff"


def open_project(name: str) -> Group:
    """Return the services of a project, running or stopped.  Raise TargetError when it has none."""
    found: dict[str, list[tuple[int, str]]] = {}
    client = connect()
    try:
        with engine_errors(f"compose:{name}", "list projects with `docker compose ls`"):
            containers = client.containers.list(
                all=True, filters={"label": f"{_PROJECT}={name}"}, ignore_removed=True
            )
            for container in containers:
                labels = container.labels
                if labels.get(_SERVICE) and labels.get(_ONE_OFF, "").lower() != "true":
                    number = labels.get(_NUMBER, "")
                    order = int(number) if number.isdecimal() else 0
                    found.setdefault(labels[_SERVICE], []).append((order, str(container.name)))
    finally:
        client.close()
    if not found:
        raise TargetError(
            "no container belongs to this project",
            where=f"compose:{name}",
            hint="list projects with `docker compose ls --all`",
        )
    services = (
        Service(service, tuple(f"docker:{container}" for _, container in sorted(replicas)))
        for service, replicas in sorted(found.items())
    )
    return Group(name, tuple(services))
