"""Alpine packages: apk's database of installed packages."""

from __future__ import annotations

import re

from envlock.formats.apk import Package, parse_installed
from envlock.model.text import from_bytes
from envlock.scope.packages.installed import Installed, Named, OsPackage
from envlock.scope.view import View
from envlock.versions import apk

_DATABASES = ("/usr/lib/apk/db/installed", "/lib/apk/db/installed")
_LIMIT = 512 * 1024 * 1024
READS = _DATABASES
"""Paths that `read` reads."""
_WORD = re.compile(r"(?P<name>[^\s<>=~]+)(?:(?P<operator>[<>=~]+)(?P<version>\S+))?\Z")


def read(view: View) -> Installed:
    """Return the installed packages."""
    raw = next((raw for path in _DATABASES if (raw := view.read(path, _LIMIT))), b"")
    packages = {package.name: package for package in parse_installed(from_bytes(raw)).packages}

    def files(key: str) -> tuple[str, ...]:
        package = packages.get(key)
        return tuple(file.path for file in package.files) if package else ()

    return Installed(
        map(_os_package, packages.values()),
        compare=apk.compare,
        files=files,
        owner=lambda path: view.owner(view.resolve(path)),
    )


def _os_package(package: Package) -> OsPackage:
    wants = (_named(word) for word in package.depends if not word.startswith("!"))
    return OsPackage(
        package.name,
        package.name,
        "",
        package.version,
        tuple((want,) for want in wants if want),
        tuple(given for word in package.provides if (given := _named(word))),
    )


def _named(word: str) -> Named | None:
    """Return a dependency (apk-package(5)); ``~`` asks for a prefix and counts as any version."""
    match = _WORD.match(word.partition("@")[0])
    if match is None:
        return None
    operator = match["operator"] or ""
    if "~" in operator:
        return Named(match["name"])
    return Named(match["name"], operator, match["version"] or "")
