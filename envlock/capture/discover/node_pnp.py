"""Discovery of packages that Yarn's Plug'n'Play reads from archives, without a node_modules."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple

from envlock.capture.context import Context
from envlock.formats.binary.zip_archive import DAMAGE, open_archive, read_beginning
from envlock.formats.node import MODULES, Package, parse_package
from envlock.formats.node_pnp import PnpPackage, parse_pnp
from envlock.model.tree import Entry, EntryType

FILES = (".pnp.data.json", ".pnp.cjs", ".pnp.js")
"""The files that list the packages; the first that states them counts."""
_CACHE = ".yarn/cache"
_ARCHIVED = re.compile(r"-npm-.*\.zip\Z")
_IN_ARCHIVE = re.compile(rf"(.*\.zip)/{MODULES}/(.+?)/?\Z")
_MANIFEST = re.compile(rf"{MODULES}/(?:@[^/]+/)?[^/]+/package\.json\Z")
_LARGEST_ARCHIVE = 256 * 1024 * 1024
_SMALL = 4 * 1024 * 1024


class PnpInstalled(NamedTuple):
    """A package: its directory, or its place in an archive, and whether it is a workspace."""

    folder: str
    package: Package
    is_workspace: bool


def find_pnp(context: Context) -> dict[str, list[PnpInstalled]]:
    """Return root of a project -> its packages."""
    found: dict[str, list[PnpInstalled]] = {}
    for path in context.glob(*(f"**/{name}" for name in FILES)):
        root = posixpath.dirname(path)
        if f"/{MODULES}/" in path or found.get(root):
            continue
        text = context.text(path)
        stated = parse_pnp(text) if text is not None else None
        if stated is None:
            if text is not None:
                context.gap(path, "does not list its packages")
            found[root] = list(_cached(root, context))
        else:
            found[root] = [one for each in stated for one in _stated(root, each, context)]
    return found


def _stated(root: str, stated: PnpPackage, context: Context) -> Iterator[PnpInstalled]:
    folder = posixpath.normpath(posixpath.join(root or "/", stated.location))
    archived = _IN_ARCHIVE.match(folder)
    text = None
    if archived and context.entry(context.resolve(archived[1])) is None:
        return  # it cannot be imported
    path = f"{folder}/package.json"
    if not archived:
        text = context.text(path, _SMALL)
    package = parse_package(text) if text is not None else None
    if package is None:
        if not archived:
            if text is not None:
                context.gap(path, "not a package.json")
            return
        package = Package(stated.name, stated.version, False, "", "")
    yield PnpInstalled(folder, package._replace(name=stated.name), stated.is_workspace)


def _cached(root: str, context: Context) -> Iterator[PnpInstalled]:
    """Yield the packages in the archives of a project's own cache."""
    folder = f"{root}/{_CACHE}"
    for name in context.names(folder):
        entry = context.entry(f"{folder}/{name}") if _ARCHIVED.search(name) else None
        if entry is not None and entry.type in (EntryType.FILE, EntryType.HARDLINK):
            package = _archived(entry, context)
            if package is not None:
                yield PnpInstalled(f"{entry.path}/{MODULES}/{package.name}", package, False)


def _archived(entry: Entry, context: Context) -> Package | None:
    """Return the package.json in an archive, or None with a gap."""
    stream = context.open(entry) if entry.size <= _LARGEST_ARCHIVE else None
    if stream is None:
        return None
    with closing(stream):
        try:
            with open_archive(stream) as archive:
                for member in archive.infolist():
                    if _MANIFEST.match(member.filename):
                        text = read_beginning(archive, member, _SMALL).decode("utf-8", "replace")
                        return parse_package(text)
        except (*DAMAGE, OSError):
            context.gap(entry.path, "not a readable archive")
            return None
    context.gap(entry.path, "no package.json in it")
    return None
