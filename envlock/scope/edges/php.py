"""PHP needs its extensions and configuration; an application the packages that Composer installed.

An interpreter of each kind (command line, FPM, module of Apache) has configuration of its own.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from envlock.model.scope import MemberClass
from envlock.model.text import from_bytes
from envlock.scope.folders import expand
from envlock.scope.graph import Around, EdgeKind, File, Item, Need, Node

_PROGRAM = re.compile(
    r"(?:lib)?php(?P<fpm1>-fpm)?(?P<version>\d+(?:\.\d+)?)?(?:-(?P<kind>fpm|cgi))?(?:-cli)?"
    r"(?P<library>\.so)?\Z"
)
_EXTENSION = re.compile(
    r"^[ \t]*(?:zend_)?extension[ \t]*=[ \t]*[\"']?([\w./+-]+)", re.MULTILINE | re.IGNORECASE
)
_FOLDER = re.compile(r"^[ \t]*extension_dir[ \t]*=[ \t]*[\"']?(/[^\"'\s;]+)", re.MULTILINE)
_INI = (
    "/etc/php/{version}/{kind}/php.ini",
    "/etc/php/{version}/{kind}/conf.d/*.ini",
    "/etc/php.ini",
    "/etc/php.d/*.ini",
    "/etc/php{digits}/php.ini",
    "/etc/php{digits}/conf.d/*.ini",
    "/usr/local/etc/php/php.ini",
    "/usr/local/etc/php/conf.d/*.ini",
    "/usr/local/lib/php.ini",
)
_POOLS = (
    "/etc/php/{version}/fpm/php-fpm.conf",
    "/etc/php/{version}/fpm/pool.d/*.conf",
    "/etc/php-fpm.conf",
    "/etc/php-fpm.d/*.conf",
    "/etc/php{digits}/php-fpm.conf",
    "/etc/php{digits}/php-fpm.d/*.conf",
    "/usr/local/etc/php-fpm.conf",
    "/usr/local/etc/php-fpm.d/*.conf",
)
_MODULES = (
    "/usr/lib/php/20[0-9]*",
    "/usr/lib64/php/modules",
    "/usr/lib/php{digits}/modules",
    "/usr/local/lib/php/extensions/*",
)
READS = ("/etc/php.ini", "/etc/php/**/*.ini", "/etc/php*/**/*.ini", "/usr/local/etc/php/**/*.ini")
"""Paths that this edge reads."""


def needs(node: Node, around: Around) -> Iterator[Need]:
    """Yield the extensions and configuration of an interpreter, or the packages of a script."""
    if not isinstance(node, File):
        return
    folder, name = posixpath.split(node.path)
    match = _PROGRAM.match(name)
    if match is not None and (match["library"] or posixpath.basename(folder) in ("bin", "sbin")):
        kind = "fpm" if match["fpm1"] or match["kind"] == "fpm" else "cli"
        kind = "apache2" if match["library"] else match["kind"] or kind
        yield from _of_interpreter(kind, match["version"] or "", around)
    elif name.endswith(".php"):
        yield from application(folder, around)


def _of_interpreter(kind: str, version: str, around: Around) -> Iterator[Need]:
    places = {
        "kind": kind,
        "version": version if "." in version else "*",
        "digits": version.replace(".", "") or "[0-9]*",
    }
    configuration = _expanded(_INI, places, around)
    texts = {path: from_bytes(around.view.read(path) or b"") for path in configuration}
    for path in configuration:
        yield Need(File(path), "", MemberClass.LOADED)
    for path in _expanded(_POOLS, places, around) if kind == "fpm" else ():
        yield Need(File(path), "", MemberClass.LOADED)
    folders = [f for text in texts.values() for f in _FOLDER.findall(text)]
    folders += _expanded(_MODULES, places, around)
    for path, text in texts.items():
        for name in _EXTENSION.findall(text):
            found = _extension(name, folders, around)
            if found is not None:
                yield Need(found, posixpath.basename(path), MemberClass.LOADED)


def _expanded(patterns: tuple[str, ...], places: dict[str, str], around: Around) -> list[str]:
    found = (
        around.view.resolve(path)
        for pattern in patterns
        for path in expand(pattern.format(**places), around)
    )
    return list(dict.fromkeys(found))


def _extension(name: str, folders: list[str], around: Around) -> File | None:
    file = name if name.endswith(".so") else f"{name}.so"
    for path in (posixpath.join(folder, file) for folder in folders):
        found = around.real(path)
        if found is not None:
            return found
    return None


def application(folder: str, around: Around) -> Iterator[Need]:
    """Yield the packages that Composer installed for the application in or above a directory."""
    while folder:
        marks = ("composer.lock", "composer.json", "vendor/composer/installed.json")
        if any(around.view.stat(f"{folder}/{mark}") is not None for mark in marks):
            break
        folder = folder.rpartition("/")[0]
    for path in expand(f"{folder}/vendor/*/*/composer.json", around) if folder else ():
        owner = around.view.owner(around.view.resolve(path))
        if owner:
            yield Need(Item.of_owner(owner), "composer.json")


EDGE = EdgeKind(
    name="php",
    of="a PHP interpreter, or a PHP file of an application",
    to="the extensions that its configuration loads, its ini and pool files; the packages that "
    "Composer installed",
    evidence="`extension=`, `zend_extension=`, `php.ini`, `conf.d/*.ini`, `vendor/composer`",
    sources=("PHP manual, The configuration file and Loading extensions", "php-fpm.conf(5)"),
    needs=needs,
    reads=READS,
)
