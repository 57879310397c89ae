"""Dependencies of installed packages that no installed package meets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from envlock.formats.debian.depends import Dependency, parse_dependencies
from envlock.formats.debian.dpkg import Package
from envlock.versions import deb

_OPERATORS = {
    "<<": (-1,),
    "<": (-1, 0),
    "<=": (-1, 0),
    "=": (0,),
    ">=": (0, 1),
    ">": (0, 1),
    ">>": (1,),
}


def unmet_depends(packages: Iterable[Package]) -> dict[str, str]:
    """Return key of a package -> its dependencies that nothing installed meets.

    Architectures are not compared: any installed package of the name counts.
    """
    installed = [package for package in packages if package.has_files]
    versions: dict[str, set[str]] = {}
    for package in installed:
        versions.setdefault(package.name, set()).add(package.version)
        for group in parse_dependencies(package.provides):
            for provided in group:
                # A name that is provided without a version meets no dependency on a version.
                versions.setdefault(provided.name, set()).add(provided.version)
    found = {}
    known: dict[str, str] = {}
    for package in installed:
        unmet = []
        for text in package.depends.split(","):
            if text not in known:  # most dependencies are those of many packages
                known[text] = ", ".join(_unmet(text, versions))
            if known[text]:
                unmet.append(known[text])
        if unmet:
            found[package.key] = ", ".join(sorted(unmet))
    return found


class Needs(NamedTuple):
    """A package by its key: the names it requires, and those it provides besides its own."""

    key: str
    requires: Iterable[str]
    provides: Iterable[str]


def unmet_names(packages: Iterable[Needs]) -> dict[str, str]:
    """Return key of a package -> the names it requires that no package provides.

    Paths are left out: a file may be there without a package.  Versions are not compared.
    """
    installed = list(packages)
    given = {name for package in installed for name in package.provides}
    found = {}
    for package in installed:
        unmet = {name for name in package.requires if name[:1] != "/" and name not in given}
        if unmet:
            found[package.key] = ", ".join(sorted(unmet))
    return found


def _unmet(text: str, versions: Mapping[str, set[str]]) -> Iterator[str]:
    for group in parse_dependencies(text):
        if not any(_is_met(one, versions) for one in group):
            yield " | ".join(map(_shown, group))


def _is_met(one: Dependency, versions: Mapping[str, set[str]]) -> bool:
    given = versions.get(one.name, set())
    if not one.operator:
        return bool(given)
    return any(version and _fits(version, one) for version in given)


def _fits(version: str, one: Dependency) -> bool:
    try:
        return deb.compare(version, one.version) in _OPERATORS[one.operator]
    except ValueError:
        return True


def _shown(one: Dependency) -> str:
    return f"{one.name} ({one.operator} {one.version})" if one.operator else one.name
