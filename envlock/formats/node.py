"""Node packages, their locations in node_modules, and npm lockfiles.

Sources: npm docs "package.json", "package-lock.json" (versions 1 to 3, and the hidden lockfile
``node_modules/.package-lock.json`` of the same form) and "folders"; pnpm docs "Symlinked
node_modules structure".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from envlock.formats.json_values import at, json_or_none, members, text_at

MODULES = "node_modules"

_NAME = r"(?:@[^/]+/[^/@.][^/]*|[^/@.][^/]*)"
_INSTALLED = re.compile(
    rf"(?P<root>.*?)/{MODULES}/"
    rf"(?P<store>\.(?!cache/)[^/]+/(?:(?!{MODULES}/)[^/]+/){{1,5}}(?:{MODULES}/|(?=package\Z)))?"
    rf"(?P<location>{_NAME}(?:/{MODULES}/{_NAME})*)\Z"
)
"""A store is a hidden directory in node_modules, with one directory for each version: that of pnpm
(.pnpm/NAME@VERSION, earlier .pnpm/REGISTRY/NAME/VERSION), of npm and Yarn (.store), bun or deno."""
_CNPM = re.compile(r"_@?[^/@]+@[^/@]+@[^/]+\Z")
"""A directory of cnpm in node_modules, which the name of the package links to."""
_REGISTRY = re.compile(r"https?://[^?#]*/-/[^/?#]+\.tgz(?:[?#]|\Z)")
_DEFINE = re.compile(r"^#define NODE_(MAJOR|MINOR|PATCH)_VERSION (\d+)", re.MULTILINE)


_STRENGTH = ("sha512", "sha384", "sha256", "sha1")
"""Algorithms of ``integrity``, the strongest first (Subresource Integrity)."""


class PackageLocation(NamedTuple):
    """Where a package is installed: the root of the tree, and the path below node_modules.

    `is_stored`: it is in a store that node_modules links to; the
    directory names of the store are not part of `path`.
    """

    root: str
    path: str
    is_stored: bool


class Package(NamedTuple):
    """A package.json."""

    name: str
    version: str
    is_bundling: bool
    """It was published with its own node_modules."""
    resolved: str
    integrity: str
    peers: tuple[str, ...] = ()
    """Names of the packages that whoever installs it must install too."""


class Locked(NamedTuple):
    """A package in a lockfile.  `may_lack`: it need not be installed (optional, development)."""

    version: str
    resolved: str
    integrity: str
    may_lack: bool


class Lockfile(NamedTuple):
    """A lockfile: its format version, and path below node_modules -> package."""

    version: str
    packages: Mapping[str, Locked]


def parse_location(folder: str) -> PackageLocation | None:
    """Return the location of the package in `folder`, or None when no package is installed there.

    A directory inside a package, such as a test fixture with its own node_modules, is not an
    installed package.

    >>> parse_location("/srv/app/node_modules/@x/y/node_modules/z")
    PackageLocation(root='/srv/app', path='@x/y/node_modules/z', is_stored=False)
    >>> parse_location("/srv/app/node_modules/x/test/node_modules/z")
    """
    match = _INSTALLED.match(folder)
    if match is None or f"/{MODULES}/" in f"{match['root']}/":
        return None
    if match["store"] and f"/{MODULES}/" in match["location"]:
        return None
    is_stored = bool(match["store"] or _CNPM.match(match["location"]))
    return PackageLocation(match["root"] or "/", match["location"], is_stored)


def package_name(location: str) -> str:
    """Return the name of the package at a location below node_modules.

    In a store with several versions of a package, the location has the version too.

    >>> package_name("a/node_modules/@x/b"), package_name("@x/b@1.2.0")
    ('@x/b', '@x/b')
    """
    name = location.rpartition(f"{MODULES}/")[2]
    return name[:1] + name[1:].partition("@")[0]


def parse_package(text: str) -> Package | None:
    """Return a package.json, or None when the text is not a JSON object."""
    document = json_or_none(text)
    if not isinstance(document, dict):
        return None
    bundled = at(document, "bundleDependencies") or at(document, "bundledDependencies")
    return Package(
        text_at(document, "name"),
        text_at(document, "version"),
        bundled is True or bool(isinstance(bundled, list) and bundled),
        text_at(document, "_resolved"),
        text_at(document, "_integrity"),
        tuple(_peers(document)),
    )


def _peers(document: object) -> Iterator[str]:
    optional = at(document, "peerDependenciesMeta")
    for name, _ in members(document, "peerDependencies"):
        if at(at(optional, name), "optional") is not True:
            yield name


def parse_lockfile(text: str) -> Lockfile | None:
    """Return a package-lock.json of any version, or None when the text is not a JSON object."""
    document = json_or_none(text)
    if not isinstance(document, dict):
        return None
    version = at(document, "lockfileVersion")
    found: dict[str, Locked] = {}
    if isinstance(at(document, "packages"), dict):
        for path, package in members(document, "packages"):
            _, modules, location = f"/{path}".partition(f"/{MODULES}/")
            if modules and path.startswith(f"{MODULES}/") and at(package, "link") is not True:
                found[location] = _locked(package)
    else:
        found.update(_nested(document, ""))
    return Lockfile(str(version) if isinstance(version, int) else "1", found)


def _nested(document: object, above: str) -> Iterator[tuple[str, Locked]]:
    """Yield the packages of format version 1, in which packages are nested."""
    todo = [(above, document)]
    while todo:
        above, parent = todo.pop()
        for name, package in members(parent, "dependencies"):
            location = f"{above}{name}"
            yield location, _locked(package)
            todo.append((f"{location}/{MODULES}/", package))


def _locked(package: object) -> Locked:
    flags = ("optional", "dev", "devOptional", "peer")
    return Locked(
        text_at(package, "version"),
        text_at(package, "resolved"),
        text_at(package, "integrity"),
        any(at(package, flag) is True for flag in flags),
    )


def parse_resolved(resolved: str) -> tuple[str, str]:
    """Return the origin, empty for a registry, and the commit for a repository.

    >>> parse_resolved("git+ssh://git@example.org/x.git#0123abc")
    ('git+ssh://git@example.org/x.git', '0123abc')
    >>> parse_resolved("https://registry.example.org/x/-/x-1.0.0.tgz")
    ('', '')
    """
    if _REGISTRY.match(resolved):
        return "", ""
    url, _, fragment = resolved.partition("#")
    return url, fragment if url.startswith("git") else ""


def parse_integrity(text: str) -> str:
    """Return the strongest digest of an ``integrity`` value as ``ALGORITHM:HEX``, empty for none.

    >>> parse_integrity("sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=")
    'sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709'
    """
    found: dict[str, str] = {}
    for word in text.split():
        algorithm, _, value = word.partition("?")[0].partition("-")
        try:
            digest = base64.b64decode(value, validate=True)
        except (ValueError, binascii.Error):
            continue
        if algorithm in _STRENGTH and len(digest) == hashlib.new(algorithm).digest_size:
            found.setdefault(algorithm, f"{algorithm}:{digest.hex()}")
    return next((found[each] for each in _STRENGTH if each in found), "")


def parse_node_version(text: str) -> str:
    """Return the version of Node in its header node_version.h, or empty."""
    numbers = dict(_DEFINE.findall(text))
    parts = [numbers.get(part, "") for part in ("MAJOR", "MINOR", "PATCH")]
    return ".".join(parts) if all(parts) else ""
