"""Alpine packages: versions, install reasons, and their files.

Reads apk's database rather than running apk.  Files are compared with the checksums, modes and
owners in it, as ``apk audit`` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.unmet_depends import Needs, unmet_names
from envlock.capture.files.ownership import Claim, Claims, Stated
from envlock.formats.apk import (
    DEFAULT_PROTECTED,
    File,
    Package,
    ProtectedPaths,
    parse_installed,
    parse_world,
)
from envlock.model.record import Record
from envlock.model.tree import EntryType

_DATABASES = ("/usr/lib/apk/db/installed", "/lib/apk/db/installed")
"""With a merged /usr, and without."""
_BESIDE = frozenset({"scripts.tar", "scripts.tar.gz", "triggers"})
"""Files that apk writes beside the database, of packages in it."""
_WORLD = "/etc/apk/world"
_PROTECTED = "/etc/apk/protected_paths.d"
_NAME = re.compile(r"[^=<>~@]+")
"""The name in a dependency or provision, without the version and the repository."""
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+~^:_-]{0,250}")
_LIMIT = 512 * 1024 * 1024


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each package."""
    requested = _requested(context)
    seen: set[str] = set()
    packages = _packages(context)
    unmet = unmet_names(map(_needs, packages))
    for package in packages:
        if package.name in seen:
            context.gap(_DATABASES[0], f"{package.name} is listed twice")
            continue
        seen.add(package.name)
        facts = _facts(package, requested)
        if package.name in unmet:
            facts["unmet"] = unmet[package.name]
        yield Record("apk", package.name, facts)


def claims(context: Context) -> Claims:
    """Return the paths that the packages own, with symbolic links in directories resolved."""
    found: dict[str, Claim] = {}
    resolved: dict[str, str] = {}
    protected = None
    for package in _packages(context):
        protected = protected or _protected(context)
        owner, artifact = f"apk {package.name}", _artifact(package)
        for file in package.files:
            folder, _, name = file.path.rpartition("/")
            if folder not in resolved:
                resolved[folder] = context.resolve(folder or "/").rstrip("/")
            path = f"{resolved[folder]}/{name}"
            if file.digest or path not in found:
                conffile = not file.is_directory and protected.covers(file.path)
                found[path] = _claim(file, owner, artifact, conffile=conffile)
    return found


def _packages(context: Context) -> tuple[Package, ...]:
    """Return the packages of the first database that has any; without one, each is a gap."""
    empty = []
    for path in _DATABASES:
        text = context.text(path, _LIMIT)
        if text is None:
            continue
        database = parse_installed(text)
        if text:
            for damage in database.damages:
                context.gap(path, f"damaged: {damage}")
        if database.packages:
            return database.packages
        if not text:
            empty.append(path)
    for path in empty:
        context.gap(path, "damaged: it is empty")
    for path in _DATABASES:
        folder = path.rpartition("/")[0]
        beside = _BESIDE.intersection(context.names(folder))
        if beside and not context.exists(path):
            context.gap(path, f"missing beside {min(beside)}")
    return ()


def _needs(package: Package) -> Needs:
    names = (_NAME.match(word) for word in package.depends if not word.startswith("!"))
    given = (_NAME.match(word) for word in package.provides)
    return Needs(
        package.name, [m[0] for m in names if m], [package.name, *(m[0] for m in given if m)]
    )


class _Requested(NamedTuple):
    """Name -> constraint of the requested packages; `is_known`: the others were not requested."""

    constraints: Mapping[str, str]
    is_known: bool

    def mark(self, name: str) -> str:
        """Return the mark of a package, empty where nothing states it."""
        if name in self.constraints:
            return "manual"
        return "auto" if self.is_known else ""


def _requested(context: Context) -> _Requested:
    before = len(context.gaps)
    text = context.text(_WORLD)
    is_known = text is not None and len(context.gaps) == before
    return _Requested(parse_world(text or ""), is_known)


def _facts(package: Package, requested: _Requested) -> dict[str, str]:
    constraint = requested.constraints.get(package.name, "")
    algorithm, _, digest = package.digest.partition(":")
    is_virtual = package.name.startswith(".")  # its version is the time of its creation
    facts = {
        "version": "" if is_virtual else package.version,
        "arch": package.arch,
        "source": package.source,
        "mark": requested.mark(package.name),
        "constraint": constraint if constraint != package.name else "",
        "status": f"broken {package.broken}" if package.broken else "",
        algorithm: digest,
    }
    return {name: value for name, value in facts.items() if value}


def _protected(context: Context) -> ProtectedPaths:
    texts = [DEFAULT_PROTECTED]
    texts += [
        context.text(f"{_PROTECTED}/{name}") or ""
        for name in context.names(_PROTECTED)
        if name.endswith(".list")
    ]
    return ProtectedPaths.parse("\n".join(texts))


def _artifact(package: Package) -> str:
    """Return by which words the package file is known (`Claim.artifact`), empty without a digest.

    Nothing is referred to unseen: repositories of Alpine keep the newest version only.
    """
    words = (package.name, package.version, package.arch)
    algorithm, _, digest = package.digest.partition(":")
    is_known = algorithm == "sha1" and all(map(_PLAIN.fullmatch, words))
    return " ".join(("apk", *words, digest)) if is_known else ""


def _claim(file: File, owner: str, artifact: str, *, conffile: bool) -> Claim:
    return Claim(
        owner=owner,
        digest=file.digest,
        conffile=conffile,
        artifact=artifact if file.digest else "",
        required=True,
        stated=Stated(
            type=EntryType.DIRECTORY if file.is_directory else None,
            mode=file.mode,
            user=file.uid,
            group=file.gid,
        ),
    )


COLLECTOR = Collector(
    name="apk",
    sections=("apk",),
    reads=(*_DATABASES, _WORLD, f"{_PROTECTED}/*.list"),
    collect=collect,
    claims=claims,
    sources=("apk-package(5)", "apk-world(5)", "apk-protected_paths(5)"),
)
