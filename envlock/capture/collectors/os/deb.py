"""Debian packages: versions, marks, digests of the archives, and the files they own.

Reads dpkg's database rather than running dpkg, so it works on containers, images and directories,
including the ``status.d`` of distroless images.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.deb_packages import (
    ADMIN,
    DEB_READS,
    STATUS,
    STATUS_D,
    deb_packages,
    distroless_sums,
)
from envlock.capture.discover.unmet_depends import unmet_depends
from envlock.capture.files.ownership import Claim, Claims
from envlock.formats.debian.apt import (
    INDEX_LIMIT,
    LISTS,
    compression_of_index,
    decompress_index,
    find_in_index,
    parse_extended_states,
)
from envlock.formats.debian.deb822 import strange_line
from envlock.formats.debian.dpkg import (
    INSTALLED,
    Diversion,
    Package,
    parse_diversions,
    parse_list,
    parse_md5sums,
)
from envlock.formats.debian.relations import Node, needed_by
from envlock.model.record import Record

_INFO = f"{ADMIN}/info"
_MARKS = "/var/lib/apt/extended_states"

Archives = Mapping[tuple[str, str, str], str]
"""(name, version, arch) -> SHA-256 of the package file."""


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each package in dpkg's database, removed but not purged ones included."""
    packages = deb_packages(context)
    marks = _marks(packages, context)
    _, archives = _indexed(context, packages)
    needed_by_key = _needed_by(packages, marks)
    is_partial = bool(context.names(STATUS_D))  # such images leave out what packages depend on
    unmet = unmet_depends(packages) if not is_partial else {}
    seen: set[str] = set()
    for package in packages:
        if package.key in seen:
            context.gap(STATUS, f"{package.key} is listed twice")
            continue
        seen.add(package.key)
        record = _record(package, marks, archives, needed_by_key)
        if package.key in unmet:
            record = record._replace(facts={**record.facts, "unmet": unmet[package.key]})
        yield record


def claims(context: Context) -> Claims:
    """Return the paths that the packages own, after diversions and a merged /usr.

    A package that was removed owns the configuration files that it left.
    """
    found: dict[str, Claim] = {}
    packages = deb_packages(context)
    has_all = context.asked_names is None
    has_index, archives = _indexed(context, packages) if has_all else (False, {})
    diversions = parse_diversions(context.written(f"{ADMIN}/diversions") or "")
    directories: dict[str, str] = {}
    names = frozenset(context.names(_INFO))
    distroless = distroless_sums(context)
    for stem, package in _by_list(packages, names).items():
        diverted = _diverted(diversions, package.name)
        listed = _listed(package, f"{stem}.list", names, context)
        wanted = _asked(listed, diverted, context) if listed else None
        if wanted == []:
            continue
        sums_file = distroless.get(package.name, f"{_INFO}/{stem}.md5sums")
        sums = parse_md5sums(context.written(sums_file) or "")
        paths = wanted or sums
        if not paths and package.name in distroless:
            context.gap(sums_file, "damaged: no files of an installed package")
        is_listed = (package.name, package.version, package.arch) in archives
        by_value = not package.has_files or (has_index and not is_listed)
        owner = f"deb {package.key}"
        stated = sums | {path: md5 for path, md5 in package.conffiles.items() if md5}
        for path in paths:
            md5 = stated.get(path, "")
            installed = diverted.get(path, path) if diverted else path
            slash = installed.rfind("/")
            directory = directories.get(installed[:slash])
            if directory is None:
                directory = context.resolve(installed[:slash]).rstrip("/")
                directories[installed[:slash]] = directory
            real = directory + installed[slash:]
            if md5 or real not in found:
                digest = f"md5:{md5}" if md5 else ""
                source = "" if by_value else f"{owner} {path[1:]}"
                is_conffile = path in package.conffiles
                required = is_conffile and package.has_files
                found[real] = Claim(owner, digest, is_conffile, source, required=required)
    return found


def _asked(paths: list[str], diverted: Mapping[str, str], context: Context) -> list[str]:
    """Return those of the paths that lead to a file whose owner is asked for."""
    names = context.asked_names
    if names is None:
        return paths
    return [path for path in paths if diverted.get(path, path).rpartition("/")[2] in names]


def _by_list(packages: Iterable[Package], names: frozenset[str]) -> dict[str, Package]:
    """Return the package of each list of files; of several with one, the first that has files.

    A damaged database lists packages many times, whose lists are to be read once.
    """
    found: dict[str, Package] = {}
    for package in packages:
        stem = package.key if f"{package.key}.list" in names else package.name
        known = found.get(stem)
        if known is None or (package.has_files and not known.has_files):
            found[stem] = package
    return found


def _listed(
    package: Package, name: str, names: frozenset[str], context: Context
) -> list[str] | None:
    """Return the paths in the list of a package, None where there are no lists."""
    paths = parse_list(context.written(f"{_INFO}/{name}") or "") if name in names else None
    is_installed = package.status.endswith(" installed")
    if not paths and is_installed and any(other.endswith(".list") for other in names):
        context.gap(f"{_INFO}/{name}", f"damaged: no list of the files of {package.key}")
    return paths


class _Marks(NamedTuple):
    """Which packages apt installed automatically; `is_complete`: all others were asked for.

    apt-mark(8) says so of every package that apt does not list; where there is no apt, nobody does.
    """

    auto: frozenset[tuple[str, str]]
    is_complete: bool

    def of(self, package: Package) -> str:
        """Return the mark of a package, empty where nothing states it."""
        if package.status.startswith("hold "):
            return "hold"
        if (package.name, package.arch) in self.auto:
            return "auto"
        return "manual" if self.is_complete else ""


def _marks(packages: Iterable[Package], context: Context) -> _Marks:
    before = len(context.gaps)
    text = context.text(_MARKS)
    if text and (strange_line(text) or not text.endswith("\n")):
        context.gap(_MARKS, "damaged: it does not hold packages alone")
    auto = parse_extended_states(text or "")
    auto |= {(name, "all") for name, _ in auto}  # apt lists these with the native architecture
    has_apt = text is not None or any(p.name == "apt" and p.has_files for p in packages)
    return _Marks(frozenset(auto), has_apt and len(context.gaps) == before)


def _record(
    package: Package,
    marks: _Marks,
    archives: Archives,
    needed_by_key: Mapping[str, str],
) -> Record:
    facts = {"version": package.version, "source": package.source}
    if marks.of(package):
        facts["mark"] = marks.of(package)
    if package.source_version != package.version:
        facts["source-version"] = package.source_version
    if package.status not in (INSTALLED, "hold ok installed"):
        facts["status"] = package.status
    if package.key in needed_by_key:
        facts["needed-by"] = needed_by_key[package.key]
    sha256 = archives.get((package.name, package.version, package.arch))
    if sha256:
        facts["sha256"] = sha256
    return Record("deb", package.key, facts)


def _needed_by(packages: Iterable[Package], marks: _Marks) -> dict[str, str]:
    """Return key -> the manually installed package that needs an automatically installed one."""
    return needed_by(
        Node(p.key, p.name, p.arch, marks.of(p) != "auto", p.relations)
        for p in packages
        if p.has_files
    )


def _diverted(diversions: Iterable[Diversion], package: str) -> dict[str, str]:
    """Return path -> diverted path for the files of a package that others divert."""
    return {d.path: d.diverted for d in diversions if d.package != package}


def _indexed(context: Context, packages: Iterable[Package]) -> tuple[bool, Archives]:
    """Return whether any index could be read, and the digests of `packages` in the indexes."""
    wanted = {(p.name, p.version, p.arch) for p in packages}
    archives: dict[tuple[str, str, str], str] = {}
    has_index = False
    for name in context.names(LISTS):
        compression = compression_of_index(name)
        if compression is None or not wanted - archives.keys():
            continue
        raw = context.read(f"{LISTS}/{name}", INDEX_LIMIT)
        try:
            index = decompress_index(raw or b"", compression)
        except ValueError as error:
            context.gap(f"{LISTS}/{name}", f"damaged: {error}")
            continue
        if index and not index.endswith(b"\n"):
            context.gap(f"{LISTS}/{name}", "damaged: it ends in the middle of a line")
        has_index = has_index or bool(index)
        archives.update((listed[:3], listed.sha256) for listed in find_in_index(index, wanted))
    return has_index, archives


COLLECTOR = Collector(
    name="deb",
    sections=("deb",),
    reads=(
        *DEB_READS,
        f"{ADMIN}/diversions",
        f"{_INFO}/*.list",
        f"{_INFO}/*.md5sums",
        f"{LISTS}/*_Packages*",
        _MARKS,
    ),
    collect=collect,
    claims=claims,
    sources=("dpkg(1)", "deb-control(5)", "deb-md5sums(5)", "dpkg-divert(1)", "apt-mark(8)"),
)
