"""Groups: references that name several environments, each of which gets a lock of its own."""

from __future__ import annotations

from typing import NamedTuple


class Service(NamedTuple):
    """One kind of environment in a group: its name, and the TARGETs that should be identical."""

    name: str
    replicas: tuple[str, ...]


class Group(NamedTuple):
    """A group: its name, and its services sorted by name."""

    name: str
    services: tuple[Service, ...]
