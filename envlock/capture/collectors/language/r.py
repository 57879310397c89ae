"""R libraries and the packages installed in them, compared with renv.lock.

A library is a directory of installed packages, each with ``Meta/package.rds`` and a DESCRIPTION.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.naming import logical_name, unique_names
from envlock.capture.discover.package_folders import claim_folders
from envlock.capture.files.ownership import Claims
from envlock.formats.r import Package, parse_description, parse_renv
from envlock.model.record import Record
from envlock.model.text import sort_key
from envlock.secrets.urls import clean_facts, clean_origin

_MARK = "Meta/package.rds"
_LOCKFILE = "renv.lock"
_LARGEST = 1024 * 1024
_USER = re.compile(r".*/R/[^/]*-library/(\d[^/]*)\Z")
_RENV = re.compile(r"(?P<project>.*)/renv/(?:library|staging)/.*\Z")
_LIBRARIES = (
    ("/usr/local/lib/R/site-library", "local"),
    ("/usr/lib/R/site-library", "site"),
    ("/usr/lib/R/library", "system"),
    ("/usr/lib64/R/library", "system"),
)


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each package of each library, and for each project with a renv.lock."""
    libraries = _libraries(context)
    for name, (library, packages) in libraries.items():
        for package in packages.values():
            facts = _facts(f"{library}/{package.name}", package, context)
            yield Record("r", f"{name}/{package.name}", facts)
    yield from _projects(libraries, context)


def claims(context: Context) -> Claims:
    """Return a claim, without a digest, for each path in the directories of the packages."""
    owners = {
        f"{library}/{package.name}": f"r {name}/{package.name}"
        for name, (library, packages) in _libraries(context).items()
        for package in packages.values()
    }
    return claim_folders(context, owners)


def _libraries(context: Context) -> dict[str, tuple[str, Mapping[str, Package]]]:
    """Return name of the library -> (directory, name -> package)."""
    found: dict[str, dict[str, Package]] = {}
    for mark in context.glob(f"**/{_MARK}"):
        folder = mark.removesuffix(f"/{_MARK}")
        path = f"{folder}/DESCRIPTION"
        text = context.text(path, _LARGEST)
        package = parse_description(text) if text is not None else None
        library, _, name = folder.rpartition("/")
        if package is not None and package.name == name:
            found.setdefault(library, {})[name] = package
        elif text is not None:
            context.gap(path, "not the DESCRIPTION of an installed package")
    names = unique_names({library: (library, _base(library)) for library in found})
    ordered = sorted(found, key=lambda library: sort_key(names[library]))
    return {names[library]: (library, found[library]) for library in ordered}


def _base(library: str) -> str:
    """Return a name that does not depend on where the library is on this machine."""
    for known, name in _LIBRARIES:
        if library == known:
            return name
    if match := _USER.match(library):
        return f"user-{match[1]}"
    if match := _RENV.match(library):
        return logical_name(match["project"] or "/")
    for end in ("/lib/R/library", "/lib64/R/library", "/site-library", "/library"):
        if library.endswith(end):
            return logical_name(library.removesuffix(end) or "/")
    return logical_name(library)


def _facts(folder: str, package: Package, context: Context) -> dict[str, str]:
    owner = context.owner(f"{folder}/DESCRIPTION")
    return clean_facts(
        {
            "version": package.version,
            "built": package.built,
            "platform": package.platform,
            "priority": package.priority,
            "repository": package.repository,
            "origin": clean_origin(package.origin) if package.origin else "",
            "revision": package.revision,
            "packaged-by": "" if owner.startswith("r ") else owner,
        }
    )


def _projects(
    libraries: Mapping[str, tuple[str, Mapping[str, Package]]], context: Context
) -> Iterator[Record]:
    """Yield a record for each renv.lock that no package owns."""
    locks = {}
    for path in context.glob(f"**/{_LOCKFILE}"):
        text = context.text(path) if not context.owner(path) else None
        lock = parse_renv(text) if text is not None else None
        if lock is not None:
            locks[posixpath.dirname(path) or "/"] = lock
        elif text is not None:
            context.gap(path, "not a lockfile")
    names = unique_names({folder: (folder, logical_name(folder)) for folder in locks})
    for folder, (version, declared) in locks.items():
        installed: dict[str, str] = {}
        for library, packages in libraries.values():
            if library.startswith(f"{folder.rstrip('/')}/renv/library/"):
                installed |= {package.name: package.version for package in packages.values()}
        differing = [name for name, v in declared.items() if installed.get(name, v) != v]
        missing = [name for name in declared if name not in installed]
        facts = {
            "lockfile": _LOCKFILE,
            "r": version,
            "declared": str(len(declared)),
            "declared-missing": str(len(missing) or ""),
            "declared-differing": str(len(differing) or ""),
        }
        yield Record("r", names[folder], clean_facts(facts))


COLLECTOR = Collector(
    name="r",
    sections=("r",),
    reads=("**/DESCRIPTION", f"**/{_LOCKFILE}"),
    collect=collect,
    claims=claims,
    needs_scan=True,
    needs_owners=True,
    sources=(
        "Writing R Extensions, The DESCRIPTION file",
        "R Installation and Administration, Add-on packages",
        "renv, Lockfiles",
    ),
)
