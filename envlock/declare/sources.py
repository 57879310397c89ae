"""Where a sandbox installs from: this machine's sources of apt, or mirrors that are declared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from envlock.config.declare_table import Declaration
from envlock.errors import ConfigError
from envlock.formats.debian.apt import AptSource, parse_deb822, parse_one_line
from envlock.reading import read_file

MAX_SOURCES = 1 << 20
"""The largest file of apt's sources, in bytes."""


def read_sources(etc: Path) -> tuple[AptSource, ...]:
    """Return the enabled sources of packages in the directory ``/etc/apt``."""
    found: list[AptSource] = []
    for path in (etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))):
        if path.suffix not in (".list", ".sources"):
            continue
        try:
            text = read_file(path, MAX_SOURCES).decode("utf-8", "replace")
        except OSError:
            continue
        found += parse_deb822(text) if path.suffix == ".sources" else parse_one_line(text)
    return tuple(source for source in found if source.kind == "deb" and source.is_enabled)


def lines_to_install_from(
    declaration: Declaration, sources: Iterable[AptSource], codename: str
) -> list[str]:
    """Return lines of sources.list(5).

    `sources` are those of this machine and `codename` its release: for another release of the same
    distribution the names of the suites are changed.  Raise ConfigError when there are none.
    """
    lines = [*_declared(declaration)] if declaration.mirrors else []
    if not lines:
        lines = [*_own(declaration, sources, codename)]
    if not lines:
        raise ConfigError(
            f"no source of apt of this machine has {declaration.origin}",
            where=f"declare.{declaration.name}",
            hint="name mirrors in the declaration",
        )
    return list(dict.fromkeys(lines))


def lines_of_result(declaration: Declaration) -> list[str]:
    """Return the sources.list(5) of the environment: the mirrors that are declared.

    Those of this machine do not say what is wanted, and would make every machine's lock another.
    """
    return [*_declared(declaration)]


def wanted_suites(declaration: Declaration) -> tuple[str, ...]:
    """Return the suites of a declaration, which has defaults for its release."""
    suite = declaration.suite
    if declaration.suites:
        return declaration.suites
    if suite in ("sid", "unstable", "experimental"):
        return (suite,)
    return (suite, f"{suite}-updates", f"{suite}-security")


def is_of_security(text: str) -> bool:
    """True for suites and mirrors of security updates."""
    return "security" in text


def _declared(declaration: Declaration) -> Iterator[str]:
    for mirror in declaration.mirrors:
        for suite in wanted_suites(declaration):
            if is_of_security(mirror) is is_of_security(suite):
                yield _line(mirror.rstrip("/"), suite, declaration, "")


def _own(declaration: Declaration, sources: Iterable[AptSource], codename: str) -> Iterator[str]:
    wanted = wanted_suites(declaration)
    for source in sources:
        name, dash, rest = source.suite.partition("-")
        if name not in (codename, declaration.suite):
            continue
        suite = f"{declaration.suite}{dash}{rest}"
        if suite in wanted:
            yield _line(source.uri, suite, declaration, source.signed_by)


def _line(uri: str, suite: str, declaration: Declaration, signed_by: str) -> str:
    key = f"[signed-by={signed_by}] " if signed_by.startswith("/") else ""
    return f"deb {key}{uri} {suite} {' '.join(declaration.components)}"
