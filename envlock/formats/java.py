"""Metadata of Java archives and runtimes.

Sources: JAR File Specification, "JAR Manifest"; Maven Archiver, ``pom.properties``; OSGi Core,
"Bundle manifest headers"; OpenJDK's file ``release`` (JEP 223).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

_FILE = re.compile(r"(?P<name>.{1,255}?)-(?P<version>\d[0-9A-Za-z.+_]*(?:-[0-9A-Za-z.+_]+)*)\Z")
_PROPERTY = re.compile(
    r"^[ \t]*+([\w.-]++)[ \t]*+[=:][ \t]*+"
    r"((?:[^ \t\r\n]++|[ \t\r]++(?=[^ \t\r\n]))*+)[ \t\r]*+$",
    re.MULTILINE,
)
_RELEASE = re.compile(r'^([A-Z_]+)="?([^"\n]*)"?[ \t\r]*$', re.MULTILINE)
_VARIABLE = "${"


class Archive(NamedTuple):
    """The Maven coordinates of an archive, as far as they are known."""

    group: str
    name: str
    version: str


class Runtime(NamedTuple):
    """A Java runtime."""

    version: str
    implementor: str
    variant: str


def split_file_name(stem: str) -> tuple[str, str]:
    """Return name and version in the file name of an archive; the version may be empty.

    >>> split_file_name("guava-32.1.3-jre"), split_file_name("app")
    (('guava', '32.1.3-jre'), ('app', ''))
    """
    match = _FILE.match(stem)
    return (match["name"], match["version"]) if match else (stem, "")


def parse_properties(text: str) -> Archive | None:
    """Return the archive that a ``pom.properties`` describes, or None when it is malformed."""
    fields = dict(_PROPERTY.findall(text))
    name, version = fields.get("artifactId", ""), fields.get("version", "")
    return Archive(fields.get("groupId", ""), name, version) if name and version else None


def parse_manifest(text: str) -> Mapping[str, str]:
    """Return the main section of a manifest, names in lower case.

    A line is continued by following lines that begin with a space.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").partition("\n\n")[0]
    fields: dict[str, str] = {}
    for line in lines.replace("\n ", "").split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip().lower(), value.strip())
    return fields


def archive_of(stem: str, projects: Iterable[Archive], manifest: Mapping[str, str]) -> Archive:
    """Return the coordinates of an archive: from Maven, its manifest, or its file name.

    Of several Maven projects inside, the one that the file is named after describes the archive.
    """
    name, version = split_file_name(stem)
    found = list(projects)
    own = [project for project in found if stem.startswith(project.name)]
    if own or len(found) == 1:
        return max(own or found, key=lambda project: len(project.name))
    stated = (
        "plugin-version",
        "bundle-version",
        "implementation-version",
        "specification-version",
    )
    versions = (manifest.get(field, "") for field in stated)
    known = next((value for value in versions if value and _VARIABLE not in value), "")
    return Archive(manifest.get("implementation-vendor-id", ""), name, version or known)


def parse_release(text: str) -> Runtime | None:
    """Return the runtime that a file ``release`` describes, or None when it describes none."""
    fields = dict(_RELEASE.findall(text))
    version = fields.get("JAVA_VERSION", "")
    if not version:
        return None
    full = fields.get("JAVA_RUNTIME_VERSION", "") or version
    return Runtime(full, fields.get("IMPLEMENTOR", ""), fields.get("JVM_VARIANT", ""))
