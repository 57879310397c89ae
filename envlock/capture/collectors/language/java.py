"""Java archives that no package owns, the libraries packed inside them, and Java runtimes.

Local repositories of Maven, Gradle and Ivy are build caches and are not listed.
"""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from contextlib import closing
from typing import BinaryIO, NamedTuple

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.naming import logical_name, unique_names
from envlock.capture.discover.package_folders import version_keys
from envlock.formats.binary.zip_archive import DAMAGE, open_archive, read_beginning
from envlock.formats.java import (
    Archive,
    archive_of,
    parse_manifest,
    parse_properties,
    parse_release,
    split_file_name,
)
from envlock.model.record import Record
from envlock.model.text import sort_key
from envlock.model.tree import Entry, EntryType
from envlock.secrets.urls import clean_facts

_EXTENSIONS = ("jar", "war", "ear")
_CACHES = ("/.m2/", "/.gradle/", "/.ivy2/", "/.cache/")
_RUNTIME_MARKS = ("bin/java", "lib/modules", "jre/lib/rt.jar", "lib/rt.jar")
_MANIFEST = "META-INF/MANIFEST.MF"
_LARGEST_ARCHIVE = 1 << 30
_LARGEST_MEMBER = 1024 * 1024
_MOST_MEMBERS = 200_000
_MOST_PROJECTS = 2_000


class _Found(NamedTuple):
    """An archive, and the libraries packed inside it."""

    path: str
    archive: Archive
    inside: tuple[Archive, ...]


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each runtime, each archive, and each library packed inside one."""
    runtimes = _runtimes(context)
    names = unique_names({prefix: (prefix, logical_name(prefix or "/")) for prefix in runtimes})
    for prefix, facts in runtimes.items():
        yield Record("java", names[prefix], facts)
    parts = tuple(f"{prefix}/" for prefix in runtimes)
    folders: dict[str, list[_Found]] = {}
    for path in context.glob(*(f"**/*.{extension}" for extension in _EXTENSIONS)):
        entry = context.entry(path)
        is_part = path.startswith(parts)
        found = (
            _read(entry, context) if entry and not is_part and _is_wanted(entry, context) else None
        )
        if found is not None:
            folders.setdefault(posixpath.dirname(path), []).append(found)
    names = unique_names({folder: (folder, _base(folder)) for folder in folders})
    for folder in sorted(folders, key=lambda folder: sort_key(names[folder])):
        yield from _archives(names[folder], folders[folder])


def _runtimes(context: Context) -> dict[str, dict[str, str]]:
    """Return directory -> facts of every Java runtime."""
    found = {}
    for path in context.glob("**/release"):
        prefix = posixpath.dirname(path)
        if not any(context.entry(f"{prefix}/{mark}") for mark in _RUNTIME_MARKS):
            continue
        text = context.text(path, _LARGEST_MEMBER)
        runtime = parse_release(text or "")
        if text is not None and runtime is None:
            context.gap(path, "states no version")
        if runtime is not None:
            facts = {
                "version": runtime.version,
                "implementor": runtime.implementor,
                "variant": runtime.variant,
                "packaged-by": context.owner(path),
            }
            found[prefix] = clean_facts(facts)
    return found


def _is_wanted(entry: Entry, context: Context) -> bool:
    return (
        entry.type is EntryType.FILE
        and not any(cache in entry.path for cache in _CACHES)
        and not context.owner(entry.path)
    )


def _base(folder: str) -> str:
    """Return a name for a directory of archives: that of the application it is part of."""
    for end in ("/WEB-INF/lib", "/BOOT-INF/lib", "/webapps", "/jars", "/target", "/libs"):
        folder = folder.removesuffix(end)
    return logical_name(folder or "/")


def _archives(directory: str, found: list[_Found]) -> Iterator[Record]:
    named = {(*one.archive[1:], posixpath.basename(one.path)): one for one in found}
    for names, key in version_keys(named).items():
        one = named[names]
        facts = {"version": one.archive.version, "group": one.archive.group, "path": one.path}
        yield Record("java", f"{directory}/{key}", clean_facts(facts))
        inside = {archive[1:]: archive.group for archive in reversed(one.inside) if archive.name}
        for (name, version), inner in version_keys(inside).items():
            packed = {
                "version": version,
                "group": inside[name, version],
                "packaged-by": f"java {directory}/{key}",
            }
            yield Record("java", f"{directory}/{key}/{inner}", clean_facts(packed))


def _read(entry: Entry, context: Context) -> _Found | None:
    if entry.size > _LARGEST_ARCHIVE:
        context.gap(entry.path, "too large")
        return None
    stream = context.open(entry)
    if stream is None:
        return None
    with closing(stream):
        try:
            return _read_archive(entry, stream)
        except (*DAMAGE, OSError):
            context.gap(entry.path, "not a readable archive")
    return None


def _read_archive(entry: Entry, stream: BinaryIO) -> _Found:
    with open_archive(stream) as archive:
        members = archive.infolist()[:_MOST_MEMBERS]
        projects: list[Archive] = []
        packed: list[Archive] = []
        manifest = ""
        for member in members:
            name = member.filename
            if name == _MANIFEST:
                manifest = _text(archive, member)
            elif name.startswith("META-INF/maven/") and name.endswith("/pom.properties"):
                project = parse_properties(_text(archive, member))
                projects += [project] if project and len(projects) < _MOST_PROJECTS else []
            elif name.endswith(".jar") and len(packed) < _MOST_PROJECTS:
                stem = posixpath.basename(name).removesuffix(".jar")
                packed.append(Archive("", *split_file_name(stem)))
    stem = posixpath.basename(entry.path).rpartition(".")[0]
    own = archive_of(stem, projects, parse_manifest(manifest))
    inside = [project for project in projects if project != own]
    return _Found(entry.path, own, tuple(dict.fromkeys((*inside, *packed))))


def _text(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> str:
    return read_beginning(archive, member, _LARGEST_MEMBER).decode("utf-8", "replace")


COLLECTOR = Collector(
    name="java",
    sections=("java",),
    reads=("**/release",),
    collect=collect,
    needs_scan=True,
    needs_owners=True,
    sources=(
        "JAR File Specification",
        "Maven Archiver, pom.properties",
        "JEP 223, the file release",
    ),
)
