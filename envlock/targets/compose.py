"""The containers of a compose project, found by the labels that compose sets.

Source: Compose specification and docker compose, ``com.docker.compose.*`` labels.
"""

from __future__ import annotations

from envlock.errors import TargetError
from envlock.model.text import whole_number
from envlock.targets.engines import connect, docker_command, engine_errors, split_engine
from envlock.targets.groups import Group, Service

_PROJECT = "com.docker.compose.project"
_SERVICE = "com.docker.compose.service"
_NUMBER = "com.docker.compose.container-number"
_ONE_OFF = "com.docker.compose.oneoff"


def open_project(operand: str) -> Group:
    """Return the services of ``PROJECT[@ENGINE]``, running or stopped.

    Raise TargetError when it has none.
    """
    reference = f"compose:{operand}"
    name, engine = split_engine(operand)
    at = f"@{engine}" if engine else ""
    listing = f"list projects with `{docker_command(engine)} compose ls --all`"
    found: dict[str, list[tuple[int, str]]] = {}
    client = connect(engine, reference)
    try:
        with engine_errors(reference, listing, client):
            containers = client.containers.list(
                all=True, filters={"label": f"{_PROJECT}={name}"}, ignore_removed=True
            )
            for container in containers:
                labels = container.labels
                if labels.get(_SERVICE) and labels.get(_ONE_OFF, "").lower() != "true":
                    number = labels.get(_NUMBER, "")
                    order = whole_number(number) or 0
                    found.setdefault(labels[_SERVICE], []).append((order, str(container.name)))
    finally:
        client.close()
    if not found:
        raise TargetError(
            "no container belongs to this project",
            where=reference,
            hint=listing,
        )
    services = (
        Service(service, tuple(f"docker:{container}{at}" for _, container in sorted(replicas)))
        for service, replicas in sorted(found.items())
    )
    return Group(name, tuple(services))
