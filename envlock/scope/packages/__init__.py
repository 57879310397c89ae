"""Packages of the operating system: what each depends on, and the files it installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from envlock.scope.graph import Around
from envlock.scope.packages import apk, deb, pacman, rpm
from envlock.scope.packages.installed import Installed
from envlock.scope.view import View

_READERS: Mapping[str, Callable[[View], Installed]] = {
    "deb": deb.read,
    "rpm": rpm.read,
    "apk": apk.read,
    "pacman": pacman.read,
}
SYSTEMS = tuple(_READERS)
"""Sections of the lock that hold packages of an operating system."""
READS = (*deb.READS, *rpm.READS, *apk.READS, *pacman.READS)
"""Paths that `installed` reads."""


def installed(around: Around, system: str) -> Installed:
    """Return the installed packages of a system, its databases read once a capture."""
    return around.once(_read, system)


def _read(around: Around, system: str) -> Installed:
    return _READERS[system](around.view)
