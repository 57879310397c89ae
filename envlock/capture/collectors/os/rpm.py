"""RPM packages: versions, vendors, signing keys, install reasons, and their files.

Reads rpm's database in each of its three formats (SQLite, ndb, Berkeley DB) rather than running
rpm, so it works on containers, images and directories.  Files are compared with the digests, modes,
owners, link targets and capabilities in the database, as ``rpm --verify`` does.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.rpm_packages import (
    DIRECTORIES,
    REPOSITORIES,
    SQLITE,
    Installed,
    Published,
    Publishers,
    installed_packages,
)
from envlock.capture.discover.unmet_depends import Needs, unmet_names
from envlock.capture.files.ownership import Claim, Claims, Stated
from envlock.formats.binary.file_capabilities import NO_CAPABILITIES, parse_capabilities
from envlock.formats.rpm import header
from envlock.formats.rpm.header import (
    File,
    Package,
    parse_files,
    parse_provides,
    parse_requires,
)
from envlock.formats.rpm.manifest import parse_manifest
from envlock.formats.rpm.reasons import (
    Locks,
    Reason,
    parse_auto_installed,
    parse_history,
    parse_locks,
    parse_state,
)
from envlock.formats.system.accounts import parse_numbers
from envlock.model.record import Record
from envlock.model.text import sort_key
from envlock.model.tree import TYPE_OF_FORMAT

_LIMIT = 512 * 1024 * 1024
_HISTORY = "/var/lib/dnf/history.sqlite"
_STATE = "/usr/lib/sysimage/libdnf5"
_AUTO_INSTALLED = "/var/lib/zypp/AutoInstalled"
_MANIFESTS = tuple(f"/var/lib/rpmmanifest/container-manifest-{form}" for form in (2, 1))
"""Lists of packages in images of Azure Linux, the one with more facts first."""
_LOCKS = ("/etc/dnf/plugins/versionlock.list", "/etc/dnf/versionlock.toml", "/etc/zypp/locks")


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each package; packages installable in several versions have several."""
    installed = installed_packages(context)
    if not installed:
        yield from _listed(context)
        return
    reasons = _Reasons.read(context)
    unmet = unmet_names(_needs(installed, context))
    for key in sorted(installed, key=sort_key):
        package = installed[key].package
        facts = _facts(package, reasons.of(package))
        yield Record("rpm", key, facts | ({"unmet": unmet[key]} if key in unmet else {}))


def claims(context: Context) -> Claims:
    """Return the paths that the installed packages own, with links in directories resolved."""
    installed = installed_packages(context)
    if not installed:
        return {}
    factory = _ClaimFactory(
        parse_numbers(context.text("/etc/passwd") or ""),
        parse_numbers(context.text("/etc/group") or ""),
    )
    reasons = _Reasons.read(context)
    packages = (each.package for each in installed.values())
    noted = {package.nevra: reasons.of(package).origin for package in packages}
    publishers = Publishers(context, {nevra: noted[nevra] for nevra in noted if noted[nevra]})
    found: dict[str, Claim] = {}
    directories: dict[str, str] = {}
    for key in sorted(installed, key=sort_key):
        try:
            files = parse_files(installed[key].header)
        except ValueError as error:
            context.gap(installed[key].database, f"files of {key}: {error}")
            continue
        owner = f"rpm {key}"
        published = publishers.of(key, installed[key])
        for file in files:
            claim = factory.claim(file, owner, published)
            if claim is None:
                continue
            real = directories.get(file.directory)
            if real is None:
                real = context.resolve(file.directory.rstrip("/") or "/").rstrip("/")
                directories[file.directory] = real
            path = f"{real}/{file.name}"
            if claim.digest or path not in found:
                found[path] = claim
    return found


def _listed(context: Context) -> Iterator[Record]:
    """Yield the packages of an image without a database, from the list that was left in it."""
    for path in _MANIFESTS:
        text = context.written(path)
        try:
            packages = {package.label: package for package in parse_manifest(text or "")}
        except ValueError as error:
            context.gap(path, f"damaged: {error}")
            continue
        if text is not None and not packages:
            context.gap(path, "damaged: holds no package")
        for label in sorted(packages, key=sort_key):
            yield Record("rpm", label, _facts(packages[label], Reason()))
        if packages:
            return


def _needs(installed: Mapping[str, Installed], context: Context) -> Iterator[Needs]:
    """Yield what each package requires and provides; a condition, ``(a if b)``, is no name."""
    for key, (package, headers, database) in installed.items():
        try:
            requires = [name for name, *_ in parse_requires(headers) if name[:1] != "("]
            provides = [name for name, *_ in parse_provides(headers)]
        except ValueError as error:
            context.gap(database, f"dependencies of {key}: {error}")
            continue
        yield Needs(key, requires, [package.name, *provides])


def _facts(package: Package, reason: Reason) -> dict[str, str]:
    facts = {
        "version": package.evr,
        "source": package.source,
        "vendor": package.vendor,
        "module": package.module,
        "sha256": package.sha256,
        "sha1": "" if package.sha256 else package.sha1,
        "signed-by": " ".join(package.signers),
        "mark": reason.mark,
        "origin": reason.origin,
    }
    version = package.evr.rpartition(":")[2]
    built_from = package.source_version
    if built_from and version != built_from:
        facts["source-version"] = built_from
    return {name: value for name, value in facts.items() if value}


class _AutoInstalled(NamedTuple):
    """What zypper installed automatically; `is_complete`: everything else was asked for."""

    names: frozenset[str] = frozenset()
    is_complete: bool = False

    def of(self, package: Package) -> Reason:
        """Return the reason for a package, an empty one where nothing states it."""
        other = "manual" if self.is_complete else ""
        return Reason("auto" if package.name in self.names else other)


class _Reasons(NamedTuple):
    """Install reasons and version locks in the databases of dnf, dnf 5 and zypper."""

    history: Mapping[str, Reason]
    marks: Mapping[str, str]
    origins: Mapping[str, str]
    auto_installed: _AutoInstalled
    locks: Locks

    @classmethod
    def read(cls, context: Context) -> _Reasons:
        history: Mapping[str, Reason] = {}
        marks: Mapping[str, str] = {}
        origins: Mapping[str, str] = {}
        raw = context.read(_HISTORY, _LIMIT)
        if raw is not None:
            try:
                history = parse_history(raw, context.read(f"{_HISTORY}-wal", _LIMIT) or b"")
            except ValueError as error:
                context.gap(_HISTORY, f"damaged: {error}")
        state = [_state(f"{_STATE}/{name}.toml", context) for name in ("packages", "nevras")]
        try:
            marks, origins = parse_state(*state)
        except ValueError as error:
            context.gap(_STATE, f"damaged: {error}")
        locks = Locks((), ())
        try:
            locks = parse_locks(*(context.text(path) or "" for path in _LOCKS))
        except ValueError as error:
            context.gap(_LOCKS[1], f"damaged: {error}")
        return cls(history, marks, origins, _auto_installed(context), locks)

    def of(self, package: Package) -> Reason:
        """Return the reason by the newest of the tools; an empty one for a public key."""
        if not package.arch:
            return Reason()
        reason = self._recorded(package)
        is_held = self.locks.hold(package.name, package.evr, package.arch)
        return reason._replace(mark="hold") if is_held else reason

    def _recorded(self, package: Package) -> Reason:
        if package.label in self.marks:
            return Reason(self.marks[package.label], self.origins.get(package.nevra, ""))
        return self.history.get(package.label) or self.auto_installed.of(package)


def _state(path: str, context: Context) -> str:
    text = context.written(path)
    if text is not None and not text.strip():
        context.gap(path, "damaged: it is empty")
    return text or ""


def _auto_installed(context: Context) -> _AutoInstalled:
    before = len(context.gaps)
    text = context.written(_AUTO_INSTALLED)
    if text is not None and not text.strip():
        context.gap(_AUTO_INSTALLED, "damaged: it is empty")
    is_complete = text is not None and len(context.gaps) == before
    return _AutoInstalled(parse_auto_installed(text or ""), is_complete)


class _Terms(NamedTuple):
    """The part of a claim that many files share: everything except name and digest."""

    has_digest: bool
    conffile: bool
    required: bool
    generated: bool
    stated: Stated


class _ClaimFactory:
    """Makes claims, and reuses the terms of files with equal metadata."""

    def __init__(self, users: Mapping[str, str], groups: Mapping[str, str]) -> None:
        self._users, self._groups = users, groups
        self._known: dict[tuple[object, ...], _Terms | None] = {}

    def claim(self, file: File, owner: str, published: Published) -> Claim | None:
        """Return the claim on a file; None for configuration that the package does not contain."""
        key = file[3:]
        if key in self._known:
            terms = self._known[key]
        else:
            terms = self._known[key] = self._terms(file)
        if terms is None:
            return None
        has_digest, conffile, required, generated, stated = terms
        digest = file.digest if has_digest else ""
        member = f"{file.directory}{file.name}".lstrip("/")
        source = f"{published.source} {member}" if digest and published.source else ""
        artifact = published.artifact if digest else ""
        return Claim(owner, digest, conffile, source, required, generated, artifact, stated=stated)

    def _terms(self, file: File) -> _Terms | None:
        is_ghost, is_config = bool(file.flags & header.GHOST), bool(file.flags & header.CONFIG)
        if is_ghost and is_config:
            return None
        has_digest = bool(file.verify & header.VERIFY_DIGEST) and stat.S_ISREG(file.mode)
        return _Terms(
            has_digest=has_digest and not is_ghost,
            conffile=is_config,
            required=not file.flags & (header.GHOST | header.MISSING_OK),
            generated=is_ghost,
            stated=self._stated(file, is_ghost=is_ghost),
        )

    def _stated(self, file: File, *, is_ghost: bool) -> Stated:
        """Return what rpm would verify: no mode of links, capabilities of regular files only."""
        verify, kind = file.verify, stat.S_IFMT(file.mode)
        has_mode = verify & header.VERIFY_MODE and kind != stat.S_IFLNK
        has_link = verify & header.VERIFY_LINK and kind == stat.S_IFLNK and not is_ghost
        has_capabilities = verify & header.VERIFY_CAPABILITIES and kind == stat.S_IFREG
        return Stated(
            type=None if is_ghost else TYPE_OF_FORMAT.get(kind),
            mode=stat.S_IMODE(file.mode) if has_mode else None,
            user=self._users.get(file.user, file.user) if verify & header.VERIFY_USER else None,
            group=self._groups.get(file.group, file.group)
            if verify & header.VERIFY_GROUP
            else None,
            target=file.link if has_link else None,
            capabilities=(
                (parse_capabilities(file.capability) if file.capability else NO_CAPABILITIES)
                if has_capabilities and not is_ghost
                else None
            ),
        )


COLLECTOR = Collector(
    name="rpm",
    sections=("rpm",),
    reads=(
        # A pattern makes a container engine list the directory once instead of failing per file.
        *(f"{directory}/{name}*" for directory in DIRECTORIES for name in (SQLITE, "Packages")),
        f"{_HISTORY}*",
        f"{_STATE}/*.toml",
        _AUTO_INSTALLED,
        *_MANIFESTS,
        *_LOCKS,
        *(f"{folder}/*.repo" for folder in REPOSITORIES),
        "/etc/passwd",
        "/etc/group",
    ),
    collect=collect,
    claims=claims,
    sources=("rpm(8)", "RPM package format", "dnf(8)", "zypper(8)"),
)
