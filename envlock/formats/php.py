"""Composer: installed packages, and its lockfile.

Sources: Composer documentation, "Basic usage" and "Repositories"; Composer's
``InstalledFilesystemRepository`` (``vendor/composer/installed.json``, versions 1 and 2, and
``installed.php``, which the class InstalledVersions reads).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from envlock.formats.json_values import at, is_text, items, json_or_none, text_at

_BLOCK = re.compile(
    r"^ {8}'(?P<name>[^'/\s]+/[^'\s]+)' => array\(\n(?P<body>.*?)^ {8}\),?$",
    re.MULTILINE | re.DOTALL,
)
"""A package in an installed.php: Composer writes each value on a line of its own, indented."""
_VALUE = re.compile(r"^ {12}'([\w-]+)' => (?:'((?:[^'\\]|\\.)*)'|(\w+)),$", re.MULTILINE)
_ROOT = re.compile(r"^    'root' => array\(\n(.*?)^    \),?$", re.MULTILINE | re.DOTALL)
_ROOT_VALUE = re.compile(r"^ {8}'([\w-]+)' => (?:'((?:[^'\\]|\\.)*)'|(\w+)),$", re.MULTILINE)


class Package(NamedTuple):
    """A package: `revision` is the commit of its source, `is_dev` marks development packages."""

    name: str
    version: str
    revision: str
    sha1: str
    origin: str
    is_dev: bool


class Installed(NamedTuple):
    """The packages in a directory ``vendor``.

    `is_dev`: development packages are included; None where it is not stated, as by Composer 1.
    """

    packages: tuple[Package, ...]
    is_dev: bool | None


def parse_installed(text: str) -> Installed | None:
    """Return an installed.json of version 1 (a list) or 2, or None when the text is not one."""
    document = json_or_none(text)
    if isinstance(document, list):
        document = {"packages": document}
    if not isinstance(at(document, "packages"), list):
        return None
    dev = {name for name in items(document, "dev-package-names") if isinstance(name, str)}
    found = tuple(
        _package(package, is_dev=text_at(package, "name") in dev)
        for package in _packages(document, "packages")
    )
    is_dev = at(document, "dev")
    return Installed(found, is_dev if isinstance(is_dev, bool) else None)


def parse_installed_php(text: str) -> Installed | None:
    """Return an installed.php, or None when the text is not one, or ends in the middle."""
    if "'versions' => array(" not in text or not text.rstrip().endswith(");"):
        return None
    root = _ROOT.search(text)
    project = _values(_ROOT_VALUE, root[1]) if root else {}
    found = []
    for block in _BLOCK.finditer(text):
        values = _values(_VALUE, block["body"])
        version = values.get("pretty_version", "")
        if version and block["name"] != project.get("name"):  # others are only replaced by one
            is_dev = values.get("dev_requirement") == "true"
            revision = values.get("reference", "").replace("NULL", "")
            found.append(Package(block["name"].lower(), version, revision, "", "", is_dev))
    stated = project.get("dev")
    return Installed(tuple(found), None if stated is None else stated == "true")


def _values(pattern: re.Pattern[str], text: str) -> dict[str, str]:
    return {name: quoted or word for name, quoted, word in pattern.findall(text)}


def parse_lockfile(text: str) -> tuple[Package, ...] | None:
    """Return the packages of a composer.lock, or None when the text is not one."""
    document = json_or_none(text)
    if not isinstance(at(document, "packages"), list):
        return None
    return tuple(
        _package(package, is_dev=kind == "packages-dev")
        for kind in ("packages", "packages-dev")
        for package in _packages(document, kind)
    )


def _packages(document: object, kind: str) -> Iterator[object]:
    for package in items(document, kind):
        name = text_at(package, "name")
        if name and is_text(name) and text_at(package, "version"):
            yield package


def _package(package: object, *, is_dev: bool) -> Package:
    kind = text_at(package, "dist", "type") or text_at(package, "source", "type")
    return Package(
        name=text_at(package, "name").lower(),
        version=text_at(package, "version"),
        revision=text_at(package, "source", "reference") or text_at(package, "dist", "reference"),
        sha1=text_at(package, "dist", "shasum"),
        origin="local" if kind == "path" else "",
        is_dev=is_dev,
    )
