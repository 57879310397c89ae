"""Plug-ins of Jenkins, from the manifests in their archives."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.naming import logical_name, unique_names
from envlock.capture.obstacle import LINK_TO_NOTHING, NOT_A_FILE
from envlock.formats.java import parse_manifest
from envlock.model.record import Record
from envlock.model.text import sort_key
from envlock.model.tree import EntryType
from envlock.secrets.urls import clean_facts

_PATTERNS = ("**/plugins/*.jpi", "**/plugins/*.hpi")
_MANIFEST = "META-INF/MANIFEST.MF"
_LARGEST = 1024 * 1024
_LARGEST_ARCHIVE = 1 << 30


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each plug-in of each directory ``plugins``."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for path in context.glob(*_PATTERNS):
        manifest = _manifest(path, context)
        if manifest is None:
            continue
        home = posixpath.dirname(posixpath.dirname(path)) or "/"
        name = manifest.get("short-name") or posixpath.basename(path).rpartition(".")[0]
        facts = {
            "version": manifest.get("plugin-version", ""),
            "jenkins": manifest.get("jenkins-version", ""),
            "state": "disabled" if context.entry(f"{path}.disabled") else "",
            "packaged-by": context.owner(path),
        }
        if name in found.setdefault(home, {}):
            context.gap(path, f"{name} is there twice")
        found[home].setdefault(name, clean_facts(facts))
    names = unique_names({home: (home, logical_name(home)) for home in found})
    for home in sorted(found, key=lambda home: sort_key(names[home])):
        for name in sorted(found[home], key=sort_key):
            if found[home][name]:
                yield Record("jenkins", f"{names[home]}/{name}", found[home][name])


def _manifest(path: str, context: Context) -> Mapping[str, str] | None:
    """Return the manifest of an archive, or None when (with a gap) it has none with a version."""
    entry = context.entry(context.resolve(path))
    if entry is None or entry.type not in (EntryType.FILE, EntryType.HARDLINK):
        context.gap(path, NOT_A_FILE if entry else LINK_TO_NOTHING)
        return None
    stream = context.open(entry) if entry.size <= _LARGEST_ARCHIVE else None
    if stream is None:
        return None
    with closing(stream):
        try:
            with zipfile.ZipFile(stream) as archive, archive.open(_MANIFEST) as member:
                fields = parse_manifest(member.read(_LARGEST).decode("utf-8", "replace"))
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, OSError):
            context.gap(path, "not a readable archive")
            return None
        except (KeyError, EOFError, zipfile.LargeZipFile):
            context.gap(path, "no manifest of a plug-in")
            return None
    if not fields.get("plugin-version"):
        context.gap(path, "the manifest states no version of a plug-in")
        return None
    return fields


COLLECTOR = Collector(
    name="jenkins",
    sections=("jenkins",),
    reads=(),
    collect=collect,
    needs_scan=True,
    needs_owners=True,
    sources=("Jenkins documentation, Managing Plugins", "JAR File Specification"),
)
