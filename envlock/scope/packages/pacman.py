"""Arch packages: pacman's local database."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envlock.formats.pacman import Fields, parse_fields
from envlock.model.text import from_bytes
from envlock.scope.packages.installed import Installed, Named, OsPackage
from envlock.scope.view import View
from envlock.versions import alpm

_LOCAL = "/var/lib/pacman/local"
_LIMIT = 64 * 1024 * 1024
READS = (f"{_LOCAL}/*/desc", f"{_LOCAL}/*/files")
"""Paths that `read` and what it returns read."""
_WORD = re.compile(r"(?P<name>[^\s<>=:]+)(?:(?P<operator>[<>=]+)(?P<version>[^\s:]+))?(?::.*)?\Z")


def read(view: View) -> Installed:
    """Return the installed packages."""
    found = dict(_described(view))

    def files(key: str) -> tuple[str, ...]:
        folder = found[key][0] if key in found else ""
        listed = _fields(f"{folder}/files", view).get("FILES", ()) if folder else ()
        return tuple(f"/{path.rstrip('/')}" for path in listed)

    return Installed(
        (_os_package(name, fields) for name, (_, fields) in found.items()),
        compare=alpm.compare,
        files=files,
        owner=lambda path: view.owner(view.resolve(path)),
    )


def _described(view: View) -> Iterator[tuple[str, tuple[str, Fields]]]:
    """Yield the name of each package with its directory and its description."""
    for name in view.names(_LOCAL):
        fields = _fields(f"{_LOCAL}/{name}/desc", view)
        for called in fields.get("NAME", ())[:1]:
            yield called, (f"{_LOCAL}/{name}", fields)


def _fields(path: str, view: View) -> Fields:
    return parse_fields(from_bytes(view.read(path, _LIMIT) or b""))


def _os_package(name: str, fields: Fields) -> OsPackage:
    return OsPackage(
        name,
        name,
        "",
        next(iter(fields.get("VERSION", ())), ""),
        tuple((want,) for line in fields.get("DEPENDS", ()) if (want := _named(line))),
        tuple(given for line in fields.get("PROVIDES", ()) if (given := _named(line))),
    )


def _named(line: str) -> Named | None:
    match = _WORD.match(line.strip())
    return Named(match["name"], match["operator"] or "", match["version"] or "") if match else None
