"""Packages of opkg, in OpenWrt and in images of Yocto, and the files they own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.files.ownership import Claim, Claims
from envlock.formats.opkg import OpkgDatabase, parse_opkg_list, parse_opkg_status
from envlock.model.record import Record

_FOLDERS = ("/usr/lib/opkg", "/var/lib/opkg")
_INSTALLED = " installed"


class _Found(NamedTuple):
    """A database and the directory it is in."""

    folder: str
    database: OpkgDatabase


_NOTHING = _Found(_FOLDERS[0], OpkgDatabase((), {}, ()))


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each package that is installed, at least in part."""
    found = _found(context)
    seen: set[str] = set()
    for package in found.database.packages:
        if package.name in seen:
            context.gap(f"{found.folder}/status", f"{package.name} is listed twice")
            continue
        seen.add(package.name)
        facts = {
            "version": package.version,
            "arch": package.arch,
            "source": package.source,
            "mark": found.database.marks.get(package.name, ""),
            "status": "" if package.status.endswith(_INSTALLED) else package.status,
        }
        yield Record("opkg", package.name, {name: value for name, value in facts.items() if value})


def claims(context: Context) -> Claims:
    """Return the paths that the installed packages own; their content is not stated."""
    claimed: dict[str, Claim] = {}
    resolved: dict[str, str] = {}
    found = _found(context)
    seen: set[str] = set()
    for package in found.database.packages:
        if package.name in seen:
            continue  # whose list was read
        seen.add(package.name)
        text = context.written(f"{found.folder}/info/{package.name}.list")
        for path in parse_opkg_list(text or ""):
            folder, _, name = path.rpartition("/")
            if folder not in resolved:
                resolved[folder] = context.resolve(folder or "/").rstrip("/")
            real = f"{resolved[folder]}/{name}"
            is_conffile = path in package.conffiles
            claimed.setdefault(real, Claim(f"opkg {package.name}", conffile=is_conffile))
    return claimed


def _found(context: Context) -> _Found:
    """Return the first database that has packages; without one, each that is there is a gap."""
    for folder in _FOLDERS:
        path = f"{folder}/status"
        text = context.text(path)
        if text is None:
            continue
        database = parse_opkg_status(text)
        for damage in database.damages:
            context.gap(path, f"damaged: {damage}")
        if database.packages:
            return _Found(folder, database)
    for folder in _FOLDERS:
        lists = [name for name in context.names(f"{folder}/info") if name.endswith(".list")]
        if lists and not context.exists(f"{folder}/status"):
            context.gap(
                f"{folder}/status", f"missing, though there are {len(lists)} lists of files"
            )
    return _NOTHING


COLLECTOR = Collector(
    name="opkg",
    sections=("opkg",),
    reads=(
        *(f"{folder}/status" for folder in _FOLDERS),
        *(f"{folder}/info/*.list" for folder in _FOLDERS),
    ),
    collect=collect,
    claims=claims,
    sources=("OpenWrt wiki, opkg package manager", "opkg, libopkg/pkg_parse.c"),
)
