"""Java archives that no package owns, the libraries packed inside them, and Java runtimes.

Local repositories of Maven, Gradle and Ivy are build caches and are not listed.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.java_archives import EXTENSIONS, JavaArchive, read_archive
from envlock.capture.discover.naming import logical_name, unique_names
from envlock.capture.discover.package_folders import version_keys
from envlock.formats.java import parse_manifest, parse_release
from envlock.model.record import Record
from envlock.model.text import sort_key
from envlock.model.tree import Entry, EntryType
from envlock.secrets.urls import clean_facts

_PLUGIN = re.compile(r"/plugins/[^/]+\.[hj]pi\Z")
_CACHES = ("/.m2/", "/.gradle/", "/.ivy2/", "/.cache/")
_RUNTIME_MARKS = ("bin/java", "lib/modules", "jre/lib/rt.jar", "lib/rt.jar")
_LARGEST_RELEASE = 1024 * 1024


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each runtime, each archive, and each library packed inside one.

    Archives may be inside of others: ``shop/web/log4j-core`` is in a WAR that is in an EAR.
    """
    runtimes = _runtimes(context)
    names = unique_names({prefix: (prefix, logical_name(prefix or "/")) for prefix in runtimes})
    for prefix, facts in runtimes.items():
        yield Record("java", names[prefix], facts)
    parts = tuple(f"{prefix}/" for prefix in runtimes)
    folders: dict[str, list[JavaArchive]] = {}
    for path in context.glob(*(f"**/*.{extension}" for extension in EXTENSIONS)):
        entry = context.entry(path)
        is_part = path.startswith(parts)
        found = (
            read_archive(entry, context)
            if entry and not is_part and _is_wanted(entry, context)
            else None
        )
        if found is not None:
            folders.setdefault(posixpath.dirname(path), []).append(found)
    plugins = _plugins([one for found in folders.values() for one in found])
    names = unique_names({folder: (folder, _base(folder)) for folder in folders})
    for folder in sorted(folders, key=lambda folder: sort_key(names[folder])):
        yield from _archives(names[folder], folders[folder], plugins)


def _runtimes(context: Context) -> dict[str, dict[str, str]]:
    """Return directory -> facts of every Java runtime."""
    found = {}
    for path in context.glob("**/release"):
        prefix = posixpath.dirname(path)
        if not any(context.entry(f"{prefix}/{mark}") for mark in _RUNTIME_MARKS):
            continue
        text = context.text(path, _LARGEST_RELEASE)
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


def _plugins(archives: Iterable[JavaArchive]) -> dict[str, str]:
    """Return path -> record of the plug-ins of Jenkins, which have a section of their own."""
    found = {one.path: one for one in archives if _PLUGIN.search(one.path)}
    homes = {path: posixpath.dirname(posixpath.dirname(path)) or "/" for path in found}
    names = unique_names({home: (home, logical_name(home)) for home in homes.values()})
    return {
        path: f"jenkins {names[homes[path]]}/"
        f"{parse_manifest(one.manifest).get('short-name') or one.coordinates.name}"
        for path, one in found.items()
    }


def _archives(
    directory: str, found: list[JavaArchive], plugins: Mapping[str, str]
) -> Iterator[Record]:
    named = {(*one.coordinates[1:], posixpath.basename(one.path)): one for one in found}
    for names, key in version_keys(named).items():
        one = named[names]
        group, _, version = one.coordinates
        facts = {
            "version": version,
            "group": group,
            "path": one.path,
            "packaged-by": plugins.get(one.path, ""),
        }
        yield Record("java", f"{directory}/{key}", clean_facts(facts))
        yield from _inside(f"{directory}/{key}", one)


def _inside(outer: str, archive: JavaArchive) -> Iterator[Record]:
    """Yield what is packed in an archive; the key names each archive on the way to it."""
    named: dict[tuple[str, ...], list[JavaArchive]] = {}
    for inner in archive.inside:
        if inner.coordinates.name:
            named.setdefault(inner.coordinates[1:], []).append(inner)
    for names, key in version_keys(named).items():
        group = next((one.coordinates.group for one in named[names] if one.coordinates.group), "")
        facts = {"version": names[1], "group": group, "packaged-by": f"java {outer}"}
        yield Record("java", f"{outer}/{key}", clean_facts(facts))
        packed = JavaArchive(
            "",
            archive.coordinates,
            "",
            tuple(dict.fromkeys(inner for one in named[names] for inner in one.inside)),
        )
        yield from _inside(f"{outer}/{key}", packed)


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
