"""Locale and time zone settings of the system, and the locales that are available."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.formats.system.assignments import parse_assignments
from envlock.formats.system.locale_archive import parse_locale_archive
from envlock.formats.system.settings import SETTINGS_LIMIT
from envlock.model.record import Record
from envlock.model.tree import EntryType

_ZONES = "/zoneinfo/"
_LOCALES = "/usr/lib/locale"
_ARCHIVE = f"{_LOCALES}/locale-archive"
_ARCHIVE_LIMIT = 16 * 1024 * 1024
"""Largest archive in bytes that is read; a larger one holds all locales."""
_ZONE_DATA = "/usr/share/zoneinfo/tzdata.zi"
_ZONE_VERSION = "# version "


def collect(context: Context) -> Iterator[Record]:
    """Yield the one record of section locale.

    Facts: one for each variable that is set, ``timezone`` (its name, or the digest of the rules
    where there is no name), ``tzdata`` (version), ``generated`` (requested from locale-gen),
    ``available`` (compiled).
    """
    settings = parse_assignments(
        context.text("/etc/default/locale") or context.text("/etc/locale.conf") or ""
    )
    facts = {name.lower().replace("_", "-"): value for name, value in settings.items() if value}
    found = {
        "timezone": (context.text("/etc/timezone") or "").strip() or _zone(context),
        "tzdata": _tzdata(context),
        "generated": " ".join(_generated(context.text("/etc/locale.gen") or "")),
        "available": " ".join(_available(context)),
    }
    facts.update({name: value for name, value in found.items() if value})
    if facts:
        yield Record("locale", "", facts)


def _zone(context: Context) -> str:
    link = context.stat("/etc/localtime")
    if link is None or link.type is EntryType.SYMLINK:
        return link.target.partition(_ZONES)[2] if link else ""
    content = context.read("/etc/localtime", SETTINGS_LIMIT)
    return f"sha256:{hashlib.sha256(content).hexdigest()}" if content else ""


def _tzdata(context: Context) -> str:
    first = (context.text(_ZONE_DATA, SETTINGS_LIMIT) or "").partition("\n")[0]
    return first.removeprefix(_ZONE_VERSION).strip() if first.startswith(_ZONE_VERSION) else ""


def _generated(text: str) -> list[str]:
    """Return the locales that locale-gen(8) is configured to generate."""
    lines = (line.partition("#")[0].split() for line in text.split("\n"))
    return sorted({words[0] for words in lines if words})


def _available(context: Context) -> list[str]:
    """Return the compiled locales: directories, and entries of the archive."""
    folders = {
        child.path.rpartition("/")[2]
        for child in context.children(_LOCALES)
        if child.type is EntryType.DIRECTORY
    }
    archive = context.stat(_ARCHIVE)
    if archive is not None and archive.size <= _ARCHIVE_LIMIT:
        folders.update(parse_locale_archive(context.read(_ARCHIVE, _ARCHIVE_LIMIT) or b""))
    return sorted(folders | ({"(all)"} if archive and archive.size > _ARCHIVE_LIMIT else set()))


COLLECTOR = Collector(
    name="locale",
    sections=("locale",),
    reads=(
        "/etc/default/locale",
        "/etc/locale.conf",
        "/etc/timezone",
        "/etc/localtime",
        "/etc/locale.gen",
        _ZONE_DATA,
        _ARCHIVE,
    ),
    collect=collect,
    sources=("locale.conf(5)", "locale-gen(8)", "localtime(5)", "localedef(1)"),
)
