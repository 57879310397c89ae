"""References that name several environments at once: each of them has a lock of its own."""

from __future__ import annotations

from typing import NamedTuple

from envlock.errors import TargetNameError
from envlock.targets.forms import GROUPS


class Service(NamedTuple):
    """One kind of environment in a group: its name, and TARGETs that should be the same."""

    name: str
    replicas: tuple[str, ...]


class Group(NamedTuple):
    """A group: its name and its services, sorted."""

    name: str
    services: tuple[Service, ...]


def is_group(reference: str) -> bool:
    """True when `reference` names a group rather than one environment."""
    scheme, _, operand = reference.partition(":")
    return scheme == "compose" or (scheme == "kube" and "#" not in operand)


def open_group(reference: str) -> Group:
    """Return what a group holds.  Raise TargetError when there is none of that name."""
    scheme, _, operand = reference.partition(":")
    if not operand:
        raise TargetNameError(
            f"{reference!r} names no group", hint=f"groups are {' and '.join(GROUPS)}"
        )
    if scheme == "compose":
        from envlock.targets.compose import project

        return project(operand)
    from pathlib import Path

    from envlock.targets.kube import pods

    return pods(Path(operand))
