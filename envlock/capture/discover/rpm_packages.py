"""The packages in rpm's database, and which published file each came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from envlock.capture.context import Context
from envlock.formats.rpm.database import PARSERS, Headers, parse_sqlite
from envlock.formats.rpm.header import Header, Package, parse_package
from envlock.formats.rpm.package_file import is_recognisable

DIRECTORIES = ("/usr/lib/sysimage/rpm", "/var/lib/rpm", "/usr/share/rpm")
"""Directories of the database by distribution and age; often one is a link to another."""
SQLITE = "rpmdb.sqlite"
_INDEXES = frozenset({"Name", "Basenames", "Providename", "Index.db", "rpmdb.sqlite-wal"})
"""Files beside a database, which are nothing without it."""
_LIMIT = 512 * 1024 * 1024


class Installed(NamedTuple):
    """A package, its header and the path of its database."""

    package: Package
    header: Header
    database: str


def installed_packages(context: Context) -> dict[str, Installed]:
    """Return key -> installed package.

    The key is ``name.arch``.  It contains the version where several versions are installed or may
    be, so that the key of one package does not depend on others.
    """
    found = list(_packages(context))
    labels = Counter(installed.package.label for installed in found)
    keyed: dict[str, Installed] = {}
    for installed in found:
        package = installed.package
        is_one = labels[package.label] == 1 and not package.is_multiple
        keyed.setdefault(package.label if is_one else package.nevra, installed)
    return keyed


def _packages(context: Context) -> Iterator[Installed]:
    """Yield the packages of the first database that has any; without one, each is a gap."""
    empty = []
    for path, raw, wal in _databases(context):
        number = 0
        for blob in _until_damage(path, raw, wal, context):
            number += 1
            try:
                header = Header(blob)
                package = parse_package(header)
                header.check_digest()
            except ValueError as error:
                context.gap(path, f"package {number}: {error}")
                continue
            yield Installed(package, header, path)
        if number:
            return
        empty.append(path)
    for path in empty:
        context.gap(path, "damaged: holds no package")
    if not empty:
        for directory in DIRECTORIES:
            beside = _INDEXES.intersection(context.names(directory))
            if beside:
                context.gap(directory, f"no database of packages beside {min(beside)}")


def _until_damage(path: str, raw: bytes, wal: bytes, context: Context) -> Headers:
    """Yield the headers of a database; damage ends them with a gap."""
    if not raw and not wal:
        return
    try:
        read = PARSERS[path.rpartition("/")[2]]
        yield from parse_sqlite(raw, wal) if wal else read(raw)
    except ValueError as error:
        context.gap(path, f"damaged: {error}")


def _databases(context: Context) -> Iterator[tuple[str, bytes, bytes]]:
    """Yield the path, content and write-ahead log of each database."""
    for directory in DIRECTORIES:
        for name in PARSERS:
            path = f"{directory}/{name}"
            raw = context.read(path, _LIMIT)
            if raw is not None:
                wal = context.read(f"{path}-wal", _LIMIT) if name == SQLITE else None
                yield path, raw, wal or b""


def artifact_of(installed: Installed) -> str:
    """Return by which words a claim names the published file of a package (`Claim.artifact`).

    Empty when its files cannot be taken from such a file, so that they travel by value.
    """
    package, header, _ = installed
    try:
        is_known = is_recognisable(package, header, header.size)
    except ValueError:
        is_known = False
    words = ("rpm", package.name, package.evr, package.arch, package.sha256)
    return " ".join(words) if is_known else ""
