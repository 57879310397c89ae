"""Debian packages: dpkg's status file, and the ``status.d`` of distroless images."""

from __future__ import annotations

from collections.abc import Iterator

from envlock.formats.debian.depends import parse_dependencies
from envlock.formats.debian.dpkg import Package, parse_list, parse_md5sums, parse_status
from envlock.model.text import from_bytes
from envlock.scope.packages.installed import Installed, Named, OsPackage
from envlock.scope.view import View
from envlock.versions import deb

_ADMIN = "/var/lib/dpkg"
_STATUS, _STATUS_D, _INFO = f"{_ADMIN}/status", f"{_ADMIN}/status.d", f"{_ADMIN}/info"
_LIMIT = 64 * 1024 * 1024
READS = (_STATUS, f"{_STATUS_D}/*", f"{_INFO}/*.list")
"""Paths that `read` and what it returns read."""


def read(view: View) -> Installed:
    """Return the packages that are installed, at least in part."""
    packages = {package.key: package for package in _packages(view) if package.has_files}

    def files(key: str) -> tuple[str, ...]:
        package = packages.get(key)
        return _files(package, view) if package else ()

    return Installed(
        map(_os_package, packages.values()),
        compare=deb.compare,
        files=files,
        owner=lambda path: view.owner(view.resolve(path)),
    )


def _packages(view: View) -> Iterator[Package]:
    yield from parse_status(_text(_STATUS, view)).packages
    for name in view.names(_STATUS_D):
        if "." not in name:
            yield from parse_status(_text(f"{_STATUS_D}/{name}", view), is_control=True).packages


def _os_package(package: Package) -> OsPackage:
    return OsPackage(
        package.key,
        package.name,
        package.arch,
        package.version,
        tuple(
            tuple(Named(*alternative) for alternative in group)
            for group in parse_dependencies(package.depends)
        ),
        tuple(Named(*given) for group in parse_dependencies(package.provides) for given in group),
    )


def _files(package: Package, view: View) -> tuple[str, ...]:
    """Return the paths of a package, links in their directories not followed."""
    for stem in (package.key, package.name):
        if view.stat(f"{_INFO}/{stem}.list") is not None:
            return tuple(parse_list(_text(f"{_INFO}/{stem}.list", view)))
    return tuple(parse_md5sums(_text(f"{_STATUS_D}/{package.name}.md5sums", view)))


def _text(path: str, view: View) -> str:
    return from_bytes(view.read(path, _LIMIT) or b"")
