"""Locale and time zone settings of the system, and the locales that are available."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.formats.system.assignments import parse_assignments
from envlock.formats.system.locale_archive import parse_locale_archive
from envlock.formats.system.settings import SETTINGS_LIMIT, parse_lines
from envlock.model.record import Record
from envlock.model.tree import Entry, EntryType

_LOCALTIME, _NAME = "/etc/localtime", "/etc/timezone"
_ZONES = "/zoneinfo/"
_FOLDER = "/usr/share/zoneinfo/"
_DEFAULT_ZONE = "UTC"
_UTC = frozenset({"UTC", "UCT", "Etc/UTC", "Etc/UCT", "Etc/Universal", "Etc/Zulu", "Universal",
                  "Zulu"})  # fmt: skip
"""Names of the zone that the C library uses where there is no other (tzset(3))."""
_CONTENTS = frozenset({EntryType.FILE, EntryType.HARDLINK})
_LOCALES = "/usr/lib/locale"
_ARCHIVE = f"{_LOCALES}/locale-archive"
_ARCHIVE_LIMIT = 16 * 1024 * 1024
"""Largest archive in bytes that is read; a larger one holds all locales."""
_ZONE_DATA = "/usr/share/zoneinfo/tzdata.zi"
_ZONE_VERSION = "# version "


def collect(context: Context) -> Iterator[Record]:
    """Yield the one record of section locale.

    Facts: one for each variable that is set, ``timezone`` (the name in /etc/localtime, or its rule
    where that is a copy), ``timezone-file`` (/etc/timezone, where it names another zone),
    ``timezone-data = "missing"`` (the C library uses UTC then), ``tzdata`` (version), ``generated``
    (requested from locale-gen), ``available`` (compiled).
    """
    settings = parse_assignments(
        context.text("/etc/default/locale") or context.text("/etc/locale.conf") or ""
    )
    facts = {name.lower().replace("_", "-"): value for name, value in settings.items() if value}
    found = {
        **_zone(context),
        "tzdata": _tzdata(context),
        "generated": " ".join(_generated(context.text("/etc/locale.gen") or "")),
        "available": " ".join(_available(context)),
    }
    facts.update({name: value for name, value in found.items() if value})
    if facts:
        yield Record("locale", "", facts)


def _zone(context: Context) -> dict[str, str]:
    """Return the time zone in force, which /etc/localtime decides, and what contradicts it."""
    stated = next(iter(parse_lines(context.text(_NAME, SETTINGS_LIMIT) or "")), "")
    link = context.stat(_LOCALTIME)
    if link is None:
        return _with_stated(_DEFAULT_ZONE if stated else "", stated, is_same=stated in _UTC)
    if link.type is EntryType.SYMLINK:
        return _of_link(link, stated, context)
    content = context.read(_LOCALTIME, SETTINGS_LIMIT) or b""
    known = _content(f"{_FOLDER}{stated}", context) if stated else None
    if known == content and content:
        return {"timezone": stated}
    return _with_stated(_rule(content), stated, is_same=known is None)


def _of_link(link: Entry, stated: str, context: Context) -> dict[str, str]:
    name = link.target.partition(_ZONES)[2]
    is_same = stated in ("", name)
    if not is_same:
        a, b = (_content(path, context) for path in (_LOCALTIME, f"{_FOLDER}{stated}"))
        is_same = a == b is not None or {name, stated} <= _UTC
    facts = _with_stated(name, stated, is_same=is_same)
    if name not in _UTC and context.stat(context.resolve(_LOCALTIME)) is None:
        facts["timezone-data"] = "missing"
    return facts


def _with_stated(zone: str, stated: str, *, is_same: bool) -> dict[str, str]:
    """Return the zone in force; what /etc/timezone says only where it is another one."""
    return {"timezone": zone, "timezone-file": "" if is_same else stated}


def _content(path: str, context: Context) -> bytes | None:
    entry = context.stat(context.resolve(path))
    stream = context.open(entry) if entry and entry.type in _CONTENTS else None
    if stream is None:
        return None
    with stream:
        return stream.read(SETTINGS_LIMIT)


def _rule(content: bytes) -> str:
    """Return the rule at the end of a TZif file (RFC 8536, 3.3), else the digest of the file."""
    rule = content.rstrip(b"\n").rpartition(b"\n")[2]
    if content.startswith(b"TZif") and rule.isascii() and rule.decode("ascii").isprintable():
        return f"rule {rule.decode('ascii')}"
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
        _NAME,
        _LOCALTIME,
        "/etc/locale.gen",
        _ZONE_DATA,
        _ARCHIVE,
    ),
    collect=collect,
    sources=("locale.conf(5)", "locale-gen(8)", "localtime(5)", "RFC 8536", "localedef(1)"),
)
