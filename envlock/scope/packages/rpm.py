"""RPM packages: what the headers in rpm's database require and provide."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envlock.formats.rpm.database import PARSERS, parse_sqlite
from envlock.formats.rpm.header import (
    Header,
    Package,
    parse_files,
    parse_package,
    parse_provides,
    parse_requires,
)
from envlock.scope.packages.installed import Installed, Named, OsPackage
from envlock.scope.view import View
from envlock.versions import rpm

_DIRECTORIES = ("/usr/lib/sysimage/rpm", "/var/lib/rpm", "/usr/share/rpm")
_SQLITE = "rpmdb.sqlite"
_LIMIT = 512 * 1024 * 1024
READS = tuple(
    f"{folder}/{name}" for folder in _DIRECTORIES for name in (*PARSERS, f"{_SQLITE}-wal")
)
"""Paths that `read` reads."""
_RICH = re.compile(r"[()]|[^()\s]+")
_CONDITIONS = ("if", "unless")


def read(view: View) -> Installed:
    """Return the installed packages; those whose header is damaged are left out."""
    found: dict[str, tuple[Package, Header]] = {}
    for header in _headers(view):
        try:
            package = parse_package(header)
        except ValueError:
            continue
        found.setdefault(package.nevra, (package, header))
    labels = [package.label for package, _ in found.values()]
    keys = {
        package.nevra
        if package.is_multiple or labels.count(package.label) > 1
        else package.label: (
            package,
            header,
        )
        for package, header in found.values()
    }

    def files(key: str) -> tuple[str, ...]:
        try:
            return tuple(f"{f.directory}{f.name}" for f in parse_files(keys[key][1]))
        except (KeyError, ValueError):
            return ()

    return Installed(
        (_os_package(key, package, header) for key, (package, header) in keys.items()),
        compare=rpm.compare,
        files=files,
        owner=lambda path: view.owner(view.resolve(path)),
    )


def _headers(view: View) -> Iterator[Header]:
    """Yield the headers of the first database that has any, up to what is damaged in it."""
    for folder in _DIRECTORIES:
        for name, parse in PARSERS.items():
            raw = view.read(f"{folder}/{name}", _LIMIT)
            if not raw:
                continue
            wal = view.read(f"{folder}/{name}-wal", _LIMIT) if name == _SQLITE else None
            headers = []
            try:
                for blob in parse_sqlite(raw, wal) if wal else parse(raw):
                    headers.append(Header(blob))  # noqa: PERF401 - what precedes damage counts
            except ValueError as error:
                view.gap(f"{folder}/{name}", f"damaged: {error}")
            if headers:
                yield from headers
                return


def _os_package(key: str, package: Package, header: Header) -> OsPackage:
    try:
        wants = tuple(tuple(_alternatives(*want)) for want in parse_requires(header))
        provides = tuple(Named(*given) for given in parse_provides(header))
    except ValueError:
        wants = provides = ()
    return OsPackage(key, package.name, package.arch, package.evr, wants, provides)


def _alternatives(name: str, operator: str, version: str) -> Iterator[Named]:
    """Yield what meets a dependency; of a rich one (``(a or b)``) the names before a condition.

    >>> list(_alternatives("(a >= 1 or b)", "", ""))
    [Named(name='a', operator='', version=''), Named(name='b', operator='', version='')]
    """
    if not name.startswith("("):
        yield Named(name, operator, version)
        return
    skips = 0
    for word in _RICH.findall(name):
        if word in _CONDITIONS:
            return
        if word in ("<", "<=", "=", ">=", ">"):
            skips = 1
        elif skips:
            skips = 0
        elif word not in ("(", ")", "and", "or", "with", "without", "else"):
            yield Named(word)
