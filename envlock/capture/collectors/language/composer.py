"""PHP packages installed by Composer, compared with composer.lock.

The directory of the packages is mostly called vendor; it is found by what Composer writes there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.naming import logical_name, unique_names
from envlock.capture.discover.package_folders import claim_folders
from envlock.capture.files.ownership import Claims
from envlock.formats.php import (
    Installed,
    Package,
    parse_installed,
    parse_installed_php,
    parse_lockfile,
)
from envlock.model.record import Record
from envlock.model.text import sort_key
from envlock.secrets.urls import clean_facts

_INSTALLED = ("composer/installed.json", "composer/installed.php")
"""Marks of a directory of packages, the first that is there counts: some deployments lack it."""
_USUAL = "vendor"
_LOCKFILE = "composer.lock"
_MANIFEST = "composer.json"


class _Application(NamedTuple):
    """The directory of an application, that of its packages, and what is installed there."""

    root: str
    vendor: str
    installed: Installed


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each application and for each package in it."""
    for name, one in _applications(context).items():
        application = _application_facts(one, context)
        if application:
            yield Record("composer", name, application)
        for package in one.installed.packages:
            facts = _facts(f"{one.vendor}/{package.name}", package, context)
            yield Record("composer", f"{name}/{package.name}", facts)


def claims(context: Context) -> Claims:
    """Return a claim, without a digest, for each path in the directories of the packages."""
    owners = {
        f"{one.vendor}/{package.name}": f"composer {name}/{package.name}"
        for name, one in _applications(context).items()
        for package in one.installed.packages
    }
    return claim_folders(context, owners)


def _applications(context: Context) -> dict[str, _Application]:
    """Return name -> application."""
    found: dict[str, _Application] = {}
    for mark, parse in zip(_INSTALLED, (parse_installed, parse_installed_php), strict=True):
        for path in context.glob(f"**/{mark}"):
            vendor = path.removesuffix(f"/{mark}")
            read = context.written if mark.endswith(".php") else context.text
            text = read(path) if vendor not in found else None
            installed = parse(text) if text is not None else None
            if installed is not None:
                packages = {package.name: package for package in installed.packages}
                ordered = tuple(packages[name] for name in sorted(packages, key=sort_key))
                root = _root(vendor, context)
                found[vendor] = _Application(root, vendor, installed._replace(packages=ordered))
            elif text is not None:
                context.gap(path, "not a list of installed packages")
    names = unique_names({one.vendor: (one.root, _base(one)) for one in found.values()})
    ordered_folders = sorted(found, key=lambda vendor: sort_key(names[vendor]))
    return {names[vendor]: found[vendor] for vendor in ordered_folders}


def _root(vendor: str, context: Context) -> str:
    """Return the directory of the application: that with its composer.json."""
    above, _, name = vendor.rpartition("/")
    has_own = context.entry(f"{vendor}/{_MANIFEST}") is not None
    return vendor if name != _USUAL and has_own else above


def _base(application: _Application) -> str:
    return logical_name(application.root or "/")


def _application_facts(application: _Application, context: Context) -> dict[str, str]:
    root, _, installed = application
    text = context.text(f"{root}/{_LOCKFILE}")
    declared = parse_lockfile(text) if text is not None else None
    if text is not None and declared is None:
        context.gap(f"{root}/{_LOCKFILE}", "not a lockfile")
    stated = {None: "", True: "true", False: "false"}
    facts = {"development": stated[installed.is_dev]}
    if declared is not None:
        here: Mapping[str, str] = {package.name: package.version for package in installed.packages}
        wanted = {
            p.name: p.version
            for p in declared
            # Where it is not stated whether those for development belong here, none is missing.
            if installed.is_dev or not p.is_dev or (installed.is_dev is None and p.name in here)
        }
        differing = [name for name, v in wanted.items() if here.get(name, v) != v]
        missing = [name for name in wanted if name not in here]
        facts |= {
            "lockfile": _LOCKFILE,
            "declared-missing": str(len(missing) or ""),
            "declared-differing": str(len(differing) or ""),
        }
    return clean_facts(facts)


def _facts(folder: str, package: Package, context: Context) -> dict[str, str]:
    owner = context.owner(f"{folder}/composer.json")
    return clean_facts(
        {
            "version": package.version,
            "revision": package.revision,
            "sha1": package.sha1,
            "origin": package.origin,
            "development": "true" if package.is_dev else "",
            "packaged-by": "" if owner.startswith("composer ") else owner,
        }
    )


COLLECTOR = Collector(
    name="composer",
    sections=("composer",),
    reads=(*(f"**/{mark}" for mark in _INSTALLED), f"**/{_LOCKFILE}"),
    collect=collect,
    claims=claims,
    needs_scan=True,
    needs_owners=True,
    sources=("Composer documentation, Basic usage",),
)
