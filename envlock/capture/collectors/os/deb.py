"""Debian packages: versions, marks, digests of the archives, and the files they own.

Reads dpkg's database rather than running dpkg, so it works on containers, images and directories,
including the ``status.d`` of distroless images.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.files.ownership import Claim, Claims
from envlock.formats.debian.apt import find_in_index, parse_extended_states
from envlock.formats.debian.dpkg import (
    INSTALLED,
    Diversion,
    Package,
    parse_diversions,
    parse_list,
    parse_md5sums,
    parse_status,
)
from envlock.formats.debian.relations import Node, needed_by
from envlock.model.record import Record

_ADMIN = "/var/lib/dpkg"
_INFO = f"{_ADMIN}/info"
_STATUS_D = f"{_ADMIN}/status.d"
_LISTS = "/var/lib/apt/lists"
_MARKS = "/var/lib/apt/extended_states"
_INDEX_LIMIT = 512 * 1024 * 1024

Archives = Mapping[tuple[str, str, str], str]
"""(name, version, arch) -> SHA-256 of the package file."""


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each package in dpkg's database, removed but not purged ones included."""
    auto = parse_extended_states(context.text(_MARKS) or "")
    auto |= {(name, "all") for name, _ in auto}  # apt lists these with the native architecture
    packages = _packages(context)
    _, archives = _indexed(context, packages)
    needed_by_key = _needed_by(packages, auto)
    seen: set[str] = set()
    for package in packages:
        if package.key in seen:
            context.gap(f"{_ADMIN}/status", f"{package.key} is listed twice")
            continue
        seen.add(package.key)
        yield _record(package, auto, archives, needed_by_key)


def claims(context: Context) -> Claims:
    """Return the paths that the installed packages own, after diversions and a merged /usr."""
    found: dict[str, Claim] = {}
    packages = [package for package in _packages(context) if package.has_files]
    has_index, archives = _indexed(context, packages)
    diversions = parse_diversions(context.text(f"{_ADMIN}/diversions") or "")
    directories: dict[str, str] = {}
    names = frozenset(context.names(_INFO))
    distroless = _distroless_sums(context)
    for package in packages:
        stem = package.key if f"{package.key}.list" in names else package.name
        listed = context.text(f"{_INFO}/{stem}.list") if f"{stem}.list" in names else None
        sums = parse_md5sums(
            context.text(distroless.get(package.name, f"{_INFO}/{stem}.md5sums")) or ""
        )
        by_value = has_index and (package.name, package.version, package.arch) not in archives
        diverted = _diverted(diversions, package.name)
        owner = f"deb {package.key}"
        stated = sums | {path: md5 for path, md5 in package.conffiles.items() if md5}
        for path in parse_list(listed) if listed is not None else sums:
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
                found[real] = Claim(owner, digest, is_conffile, source, required=is_conffile)
    return found


def _distroless_sums(context: Context) -> dict[str, str]:
    """Return package -> its checksum file in distroless images, which lack the info directory."""
    found = {}
    names = context.names(_STATUS_D)
    for name in names:
        if f"{name}.md5sums" in names:
            for package in parse_status(context.text(f"{_STATUS_D}/{name}") or ""):
                found[package.name] = f"{_STATUS_D}/{name}.md5sums"
    return found


def _packages(context: Context) -> list[Package]:
    text = context.text(f"{_ADMIN}/status") or ""
    packages = list(parse_status(text))
    if len(packages) != text.count("\nPackage: ") + text.startswith("Package: "):
        context.gap(f"{_ADMIN}/status", "some stanzas are damaged")
    for name in context.names(_STATUS_D):
        if not name.endswith(".md5sums"):
            packages += parse_status(context.text(f"{_STATUS_D}/{name}") or "")
    return [package for package in packages if not package.status.endswith(" not-installed")]


def _record(
    package: Package,
    auto: set[tuple[str, str]],
    archives: Archives,
    needed_by_key: Mapping[str, str],
) -> Record:
    facts = {"version": package.version, "source": package.source, "mark": _mark(package, auto)}
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


def _needed_by(packages: Iterable[Package], auto: set[tuple[str, str]]) -> dict[str, str]:
    """Return key -> the manually installed package that needs an automatically installed one."""
    return needed_by(
        Node(p.key, p.name, p.arch, _mark(p, auto) != "auto", p.relations)
        for p in packages
        if p.has_files
    )


def _mark(package: Package, auto: set[tuple[str, str]]) -> str:
    if package.status.startswith("hold "):
        return "hold"
    return "auto" if (package.name, package.arch) in auto else "manual"


def _diverted(diversions: Iterable[Diversion], package: str) -> dict[str, str]:
    """Return path -> diverted path for the files of a package that others divert."""
    return {d.path: d.diverted for d in diversions if d.package != package}


def _indexed(context: Context, packages: Iterable[Package]) -> tuple[bool, Archives]:
    """Return whether any index could be read, and the digests of `packages` in the indexes."""
    wanted = {(p.name, p.version, p.arch) for p in packages}
    archives: dict[tuple[str, str, str], str] = {}
    has_index = False
    for name in context.names(_LISTS):
        _, marker, suffix = name.partition("_Packages")
        if not marker or suffix not in _DECOMPRESS or not wanted - archives.keys():
            continue
        raw = context.read(f"{_LISTS}/{name}", _INDEX_LIMIT)
        try:
            index = _DECOMPRESS[suffix](raw or b"")
        except (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error) as error:
            context.gap(f"{_LISTS}/{name}", f"damaged: {error}")
            continue
        has_index = has_index or bool(index)
        archives.update((listed[:3], listed.sha256) for listed in find_in_index(index, wanted))
    return has_index, archives


_DECOMPRESS: Mapping[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
}


COLLECTOR = Collector(
    name="deb",
    sections=("deb",),
    reads=(
        f"{_ADMIN}/status",
        f"{_STATUS_D}/*",
        f"{_ADMIN}/diversions",
        f"{_INFO}/*.list",
        f"{_INFO}/*.md5sums",
        f"{_LISTS}/*_Packages*",
        _MARKS,
    ),
    collect=collect,
    claims=claims,
    sources=("dpkg(1)", "deb-control(5)", "deb-md5sums(5)", "dpkg-divert(1)", "apt-mark(8)"),
)
