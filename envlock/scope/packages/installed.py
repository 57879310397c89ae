"""The installed packages of one system, and which of them another one depends on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

_HOLDS: Mapping[str, frozenset[int]] = {
    "<<": frozenset({-1}),
    "<": frozenset({-1}),
    "<=": frozenset({-1, 0}),
    "=": frozenset({0}),
    "==": frozenset({0}),
    ">=": frozenset({0, 1}),
    ">": frozenset({1}),
    ">>": frozenset({1}),
}
_EVERY_ARCH = ("all", "any", "noarch", "")


class Named(NamedTuple):
    """A name, with an operator and a version where one is asked for or given."""

    name: str
    operator: str = ""
    version: str = ""


class OsPackage(NamedTuple):
    """An installed package; `key` names its record.

    `wants` are its dependencies, each as its alternatives in order.
    """

    key: str
    name: str
    arch: str
    version: str
    wants: tuple[tuple[Named, ...], ...] = ()
    provides: tuple[Named, ...] = ()


class Installed:
    """The installed packages; `compare` orders versions, `files` lists the paths of a package.

    `owner` tells which record claims a path, for dependencies on a path.
    """

    def __init__(
        self,
        packages: Iterable[OsPackage],
        *,
        compare: Callable[[str, str], int],
        files: Callable[[str], tuple[str, ...]],
        owner: Callable[[str], str],
    ) -> None:
        self.packages = {package.key: package for package in packages}
        self.files = files
        self._compare = compare
        self._owner = owner
        self._named: dict[str, list[OsPackage]] = {}
        self._provided: dict[str, list[tuple[OsPackage, str]]] = {}
        for package in self.packages.values():
            self._named.setdefault(package.name, []).append(package)
            for given in package.provides:
                self._provided.setdefault(given.name, []).append((package, given.version))

    def depends(self, key: str) -> Iterator[str]:
        """Yield the keys of the installed packages that meet the dependencies of a package.

        Of alternatives the first that is installed counts, as its real package or, where there is
        none, as every package that provides it.
        """
        package = self.packages.get(key)
        seen = {key}
        for group in package.wants if package else ():
            for found in self._met(group, package.arch if package else ""):
                if found not in seen:
                    seen.add(found)
                    yield found

    def _met(self, group: Iterable[Named], arch: str) -> list[str]:
        for want in group:
            found = self._real(want, arch) or self._virtual(want, arch)
            if found:
                return found
        return []

    def _real(self, want: Named, arch: str) -> list[str]:
        if want.name.startswith("/"):
            owner = self._owner(want.name).partition(" ")[2]
            return [owner] if owner in self.packages else []
        fitting = [p for p in self._named.get(want.name, ()) if self._fits(p.version, want)]
        same = [p for p in fitting if p.arch in (arch, *_EVERY_ARCH)]
        return [package.key for package in same or fitting]

    def _virtual(self, want: Named, arch: str) -> list[str]:
        fitting = [
            package
            for package, version in self._provided.get(want.name, ())
            if not want.operator or (version and self._fits(version, want))
        ]
        same = [p for p in fitting if p.arch in (arch, *_EVERY_ARCH)]
        return sorted({package.key for package in same or fitting})

    def _fits(self, version: str, want: Named) -> bool:
        if want.operator not in _HOLDS:
            return True
        try:
            return self._compare(version, want.version) in _HOLDS[want.operator]
        except ValueError:
            return True
