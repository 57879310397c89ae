"""Arch packages: versions, install reasons, how each was validated, and their files.

Reads pacman's database rather than running pacman.  Files are compared with the digests, modes,
owners and link targets in each package's mtree, as ``pacman --query --check --check`` does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.pacman_packages import CONFIGURATION, Publishers, mtree_digest
from envlock.capture.files.ownership import Claim, Claims, Stated
from envlock.formats.pacman import (
    Configuration,
    Fields,
    File,
    decompress_mtree,
    parse_configuration,
    parse_fields,
    parse_mtree,
)
from envlock.model.record import Record
from envlock.model.tree import EntryType

_LOCAL = "/var/lib/pacman/local"
_VERSION_FILE = "ALPM_DB_VERSION"
_TYPES: Mapping[str, EntryType] = {
    "file": EntryType.FILE,
    "dir": EntryType.DIRECTORY,
    "link": EntryType.SYMLINK,
}


class _Package(NamedTuple):
    folder: str
    fields: Fields

    def first(self, name: str) -> str:
        """Return the first line of a field, empty when there is none."""
        return next(iter(self.fields.get(name, ())), "")


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each package."""
    packages = _packages(context)
    held = _configuration(context).held if packages else frozenset()
    for name, package in packages.items():
        mark = "auto" if package.first("REASON") == "1" else "manual"  # which is its default
        facts = {
            "version": package.first("VERSION"),
            "arch": package.first("ARCH"),
            "source": package.first("BASE"),
            "mark": "hold" if name in held else mark,
            "validation": " ".join(package.fields.get("VALIDATION", ())),
            "origin": package.first("INSTALLED_DB"),
            "mtree": mtree_digest(package.folder, context),
        }
        yield Record("pacman", name, {fact: value for fact, value in facts.items() if value})


def claims(context: Context) -> Claims:
    """Return the paths that the packages own, with symbolic links in directories resolved."""
    found: dict[str, Claim] = {}
    resolved: dict[str, str] = {}
    packages = _packages(context)
    if not packages:
        return found
    configuration, publishers = _configuration(context), Publishers(context)
    for name, package in packages.items():
        listed = _listed(f"{package.folder}/files", context)
        backup = {f"/{line.partition(chr(9))[0]}" for line in listed.get("BACKUP", ())}
        files = list(_files(package, listed, context))
        published = publishers.of(package.fields, mtree_digest(package.folder, context), files)
        for file in files:
            folder, _, last = file.path.rpartition("/")
            if folder not in resolved:
                resolved[folder] = context.resolve(folder or "/").rstrip("/")
            path = f"{resolved[folder]}/{last}"
            if file.digest or path not in found:
                has_source = file.digest and published.source
                found[path] = Claim(
                    owner=f"pacman {name}",
                    digest=file.digest,
                    source=f"{published.source} {file.path[1:]}" if has_source else "",
                    artifact=published.artifact if file.digest else "",
                    conffile=file.path in backup,
                    required=configuration.extracts(f"{file.path}{'/' * (file.kind == 'dir')}"),
                    stated=_stated(file),
                )
    return found


def _packages(context: Context) -> dict[str, _Package]:
    """Return name -> package; a damaged description becomes a gap."""
    found: dict[str, _Package] = {}
    names = context.names(_LOCAL)
    if names == (_VERSION_FILE,):
        context.gap(_LOCAL, "holds no package")
    for name in names:
        if name == _VERSION_FILE:
            continue
        folder = f"{_LOCAL}/{name}"
        before = len(context.gaps)
        text = context.written(f"{folder}/desc")
        package = _Package(folder, parse_fields(text or ""))
        called = package.first("NAME")
        if not called or not package.first("VERSION"):
            context.gap(folder, "the description has no name or version")
        elif len(context.gaps) > before:
            continue  # what is missing may be any fact
        elif called in found:
            context.gap(folder, f"{called} is listed twice")
        else:
            found[called] = package
    return found


def _listed(path: str, context: Context) -> Fields:
    text = context.written(path)
    if text is None:
        context.gap(path, "missing: no list of files")
    return parse_fields(text or "")


def _configuration(context: Context) -> Configuration:
    return parse_configuration(context.text(CONFIGURATION) or "")


def _files(package: _Package, listed: Fields, context: Context) -> Iterator[File]:
    """Yield the files of the mtree; without one, the listed paths alone."""
    path = f"{package.folder}/mtree"
    raw = context.read(path)
    try:
        described = [] if raw is None else list(parse_mtree(decompress_mtree(raw)))
    except ValueError as error:
        context.gap(path, f"damaged: {error}")
        described = []
    if described:
        if not listed:
            context.gap(f"{package.folder}/files", "damaged: no list of files")
        yield from described
        return
    for line in listed.get("FILES", ()):
        yield File(f"/{line.rstrip('/')}", "", None, "", "", "", "")


def _stated(file: File) -> Stated:
    kind = _TYPES.get(file.kind)
    is_link = kind is EntryType.SYMLINK
    return Stated(
        type=kind,
        mode=None if is_link else file.mode,
        user=file.uid or None,
        group=file.gid or None,
        target=file.link if is_link else None,
    )


COLLECTOR = Collector(
    name="pacman",
    sections=("pacman",),
    reads=(
        f"{_LOCAL}/*/desc",
        f"{_LOCAL}/*/files",
        f"{_LOCAL}/*/mtree",
        CONFIGURATION,
    ),
    collect=collect,
    claims=claims,
    sources=("pacman(8)", "pacman.conf(5)", "mtree(5)"),
)
