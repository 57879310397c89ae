"""The packages in rpm's database, and whether a repository has each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from envlock.capture.context import Context
from envlock.formats.rpm.database import PARSERS, Headers, parse_sqlite
from envlock.formats.rpm.header import Header, Package, parse_package
from envlock.formats.rpm.package_file import is_recognisable
from envlock.formats.system.repositories import parse_repo_file

DIRECTORIES = ("/usr/lib/sysimage/rpm", "/var/lib/rpm", "/usr/share/rpm")
"""Directories of the database by distribution and age; often one is a link to another."""
REPOSITORIES = ("/etc/yum.repos.d", "/etc/zypp/repos.d")
"""Directories of the repositories of dnf, yum and zypper."""
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


class Published(NamedTuple):
    """By which words the files of a package are referred to, at most one of them (`Claim`).

    `source` precedes a member; `artifact` is for a package that only a look into caches finds.
    """

    source: str = ""
    artifact: str = ""


class Publishers:
    """Tells which packages a repository has, so that they can be had again.

    A package that was installed from a file may exist nowhere else.  `origins` maps the NEVRA of
    a package to the repository that it was installed from, as far as a package manager noted it.
    """

    def __init__(self, context: Context, origins: Mapping[str, str]) -> None:
        self._repositories = frozenset(_enabled(context))
        self._origins = origins

    def of(self, key: str, installed: Installed) -> Published:
        """Return how to refer to a package; nothing if its files must travel by value."""
        package, header, _ = installed
        try:
            if not is_recognisable(package, header, header.size):
                return Published()
        except ValueError:
            return Published()
        if self._is_in_repository(package):
            return Published(source=f"rpm {key}")
        words = ("rpm", package.name, package.evr, package.arch, package.sha256)
        return Published(artifact=" ".join(words))

    def _is_in_repository(self, package: Package) -> bool:
        """True for one from a repository that is enabled, and for most that somebody signed.

        Who makes an image names its repositories differently, or leaves no note at all.
        """
        origin = self._origins.get(package.nevra, "")
        is_from_file = origin.startswith("@") or (not origin and bool(self._origins))
        is_signed = bool(package.signers and self._repositories) and not is_from_file
        return origin in self._repositories or is_signed


def _enabled(context: Context) -> Iterator[str]:
    """Yield the ids of the repositories that are enabled."""
    for folder in REPOSITORIES:
        for name in context.names(folder):
            if name.endswith(".repo"):
                for called, facts in parse_repo_file(context.text(f"{folder}/{name}") or ""):
                    if facts.get("enabled") == "true":
                        yield called
