"""Logical names for places in a file system: the same on every machine, unique in a lock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from envlock.model.text import sort_key

_K = TypeVar("_K")

_GENERIC = frozenset(
    {"venv", ".venv", "env", ".env", "virtualenv", "node_modules", "vendor", "lib", "lib64"}
)
"""Names of folders that say what is in them and not whose it is."""
_KNOWN = {"/": "root", "/usr": "system", "/usr/local": "local"}


def logical_name(folder: str) -> str:
    """Return what a folder is called: the last of its names that is not generic.

    >>> place_name("/srv/shop/.venv"), place_name("/usr/local"), place_name("/root/.cargo")
    ('shop', 'local', 'cargo')
    """
    if folder in _KNOWN:
        return _KNOWN[folder]
    parts = [part for part in folder.split("/") if part]
    while len(parts) > 1 and parts[-1] in _GENERIC:
        parts.pop()
    name = parts[-1] if parts and parts[-1] not in _GENERIC else "root"
    return name.lstrip(".") or name


def unique_names(places: Mapping[_K, tuple[str, str]]) -> dict[_K, str]:
    """Return for each key, of which the folder and the wanted name are given, a name of its own.

    Where two want the same, the later in byte order takes the names of the folders above it as
    well, the nearest first, and a number when those run out.
    """
    names: dict[_K, str] = {}
    taken: set[str] = set()
    for key, (folder, base) in sorted(
        places.items(), key=lambda item: sort_key("\0".join(item[1]))
    ):
        name = base
        parents = [part for part in folder.split("/")[:-1] if part and part != base]
        while name in taken and parents:
            name = f"{parents.pop()}-{name}"
        number = 2
        while name in taken:
            name, number = f"{base}-{number}", number + 1
        taken.add(name)
        names[key] = name
    return names
