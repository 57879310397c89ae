""".NET: what applications depend on (``deps.json``), their settings, and versions of frameworks.

Sources: .NET documentation, "Runtime configuration files" (``deps.json``,
``runtimeconfig.json``) and "Packaging and installing .NET" (folders, ``.version``).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from envlock.formats.json_values import at, items, json_or_none, members, text_at

_VERSION = re.compile(r"\d+(?:\.\d+)+(?:[-+][0-9A-Za-z.+-]+)?\Z")
_MOST_LIBRARIES = 20_000


class Library(NamedTuple):
    """A library of an application; `kind` is ``package``, ``project``, ``runtimepack``..."""

    name: str
    version: str
    kind: str
    integrity: str


class Application(NamedTuple):
    """A deps.json: the framework it was built for, and the libraries."""

    target: str
    libraries: tuple[Library, ...]


def parse_deps(text: str) -> Application | None:
    """Return a deps.json, or None when the text is not one."""
    document = json_or_none(text)
    if not isinstance(at(document, "libraries"), dict):
        return None
    found: list[Library] = []
    for key, value in members(document, "libraries"):
        name, _, version = key.partition("/")
        if name and version and len(found) < _MOST_LIBRARIES:
            integrity = text_at(value, "sha512")
            found.append(Library(name, version, text_at(value, "type"), integrity))
    return Application(text_at(document, "runtimeTarget", "name"), tuple(found))


def parse_runtime_config(text: str) -> list[str]:
    """Return the frameworks that an application asks for, as ``NAME VERSION``."""
    document = json_or_none(text)
    options = at(document, "runtimeOptions")
    stated = [at(options, "framework"), *items(options, "frameworks")]
    named = (f"{text_at(each, 'name')} {text_at(each, 'version')}".strip() for each in stated)
    return sorted(set(named) - {""})


def parse_version_file(text: str) -> tuple[str, str]:
    """Return the revision and the version in the file ``.version`` of a framework or SDK."""
    lines = [line.strip() for line in text.split("\n")]
    version = next((line for line in lines[1:] if _VERSION.match(line)), "")
    return (lines[0] if re.fullmatch("[0-9a-f]{40}", lines[0]) else ""), version


def is_version(text: str) -> bool:
    """True for the name of a directory that is a version."""
    return bool(_VERSION.match(text))
