"""Digests of packages in the lockfiles of Yarn 1 and of pnpm.

Sources: Yarn docs, "yarn.lock" (version 1; later ones state digests of their own archives instead);
pnpm docs, "pnpm-lock.yaml".  Of YAML only the form that pnpm itself writes is read.
"""

from __future__ import annotations

from collections.abc import Mapping

from envlock.formats.node import parse_integrity

Integrities = Mapping[tuple[str, str], str]
"""(name, version) of a package -> its digest, as ``integrity`` of npm."""


def parse_yarn_lock(text: str) -> Integrities:
    r"""Return the digests in a yarn.lock of version 1.

    >>> entry = 'a@^1.0.0, a@^1.1.0:\n  version "1.1.0"\n  integrity sha1-2jmj7l5rSw0yVb/vlWAYkK/'
    >>> parse_yarn_lock(f"{entry}YBwk=")
    {('a', '1.1.0'): 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk='}
    """
    found: dict[tuple[str, str], str] = {}
    name = version = ""
    for line in text.split("\n"):
        word, _, value = line.strip().partition(" ")
        if line[:1] not in ("", " ", "#"):
            name, version = _name(line.partition(",")[0].strip().rstrip(":").strip('"')), ""
        elif line[:2] == "  " and line[2:3] != " ":
            if word == "version":
                version = value.strip('"')
            elif word == "integrity" and name and version and parse_integrity(value):
                found[name, version] = value
    return found


def parse_pnpm_lock(text: str) -> Integrities:
    r"""Return the digests in a pnpm-lock.yaml, or the same list in node_modules/.pnpm/lock.yaml.

    >>> entry = "packages:\n\n  '@x/a@1.0.0':\n    resolution: {integrity: sha1-2jmj7l5rSw0yVb/"
    >>> parse_pnpm_lock(f"{entry}vlWAYkK/YBwk=}}")
    {('@x/a', '1.0.0'): 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk='}
    """
    found: dict[tuple[str, str], str] = {}
    section = ""
    package = ("", "")
    for line in text.split("\n"):
        if line[:1] not in ("", " "):
            section = line.rstrip()
        elif section != "packages:":
            continue
        elif line[:2] == "  " and line[2:3] not in ("", " ") and line.rstrip().endswith(":"):
            package = _named_version(line.strip().rstrip(":").strip("'\"").partition("(")[0])
        elif line.startswith("    resolution: {integrity: "):
            value = line.partition("integrity: ")[2].partition(",")[0].rstrip().rstrip("}")
            if all(package) and parse_integrity(value):
                found[package] = value
    return found


def _name(pattern: str) -> str:
    """Return the name in ``NAME@RANGE``."""
    return pattern[:1] + pattern[1:].partition("@")[0]


def _named_version(key: str) -> tuple[str, str]:
    """Return name and version of ``NAME@VERSION``, or of ``/NAME/VERSION`` of old versions."""
    at = key.removeprefix("/")
    name, separator, version = at.rpartition("@")
    if not (separator and name) or "/" in version:
        name, _, version = at.rpartition("/")
    return name, version.partition("_")[0]
