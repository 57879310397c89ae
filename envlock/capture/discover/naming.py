"""Logical names for directories: the same on every machine, and unique in a lock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from envlock.model.text import sort_key

_K = TypeVar("_K")

_GENERIC = frozenset(
    {"venv", ".venv", "env", ".env", "virtualenv", "node_modules", "vendor", "lib", "lib64"}
)
"""Names of directories that say what they contain, not which project they belong to."""
_KNOWN = {"/": "root", "/usr": "system", "/usr/local": "local"}


def logical_name(folder: str) -> str:
    """Return a name for a directory: its last path component that is not generic.

    >>> logical_name("/srv/shop/.venv"), logical_name("/usr/local"), logical_name("/root/.cargo")
    ('shop', 'local', 'cargo')
    """
    if folder in _KNOWN:
        return _KNOWN[folder]
    parts = [part for part in folder.split("/") if part]
    while len(parts) > 1 and parts[-1] in _GENERIC:
        parts.pop()
    name = parts[-1] if parts and parts[-1] not in _GENERIC else "root"
    return name.lstrip(".") or name


def unique_names(wanted: Mapping[_K, tuple[str, str]]) -> dict[_K, str]:
    """Return key -> unique name, given key -> (directory, wanted name).

    Where several keys want one name, the first in byte order gets it.  The others are prefixed with
    the names of the directories above theirs, the nearest first, and then numbered.
    """
    names: dict[_K, str] = {}
    taken: set[str] = set()
    for key, (folder, base) in sorted(
        wanted.items(), key=lambda item: sort_key("\0".join(item[1]))
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
