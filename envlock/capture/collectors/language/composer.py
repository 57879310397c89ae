"""PHP packages installed by Composer, compared with composer.lock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.naming import logical_name, unique_names
from envlock.capture.discover.package_folders import claim_folders
from envlock.capture.files.ownership import Claims
from envlock.formats.php import Installed, Package, parse_installed, parse_lockfile
from envlock.model.record import Record
from envlock.model.text import sort_key
from envlock.secrets.urls import clean_facts

_INSTALLED = "vendor/composer/installed.json"
_LOCKFILE = "composer.lock"


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each application and for each package in it."""
    for name, (root, installed) in _applications(context).items():
        application = _application_facts(root, installed, context)
        if application:
            yield Record("composer", name, application)
        for package in installed.packages:
            facts = _facts(f"{root}/vendor/{package.name}", package, context)
            yield Record("composer", f"{name}/{package.name}", facts)


def claims(context: Context) -> Claims:
    """Return a claim, without a digest, for each path in the directories of the packages."""
    owners = {
        f"{root}/vendor/{package.name}": f"composer {name}/{package.name}"
        for name, (root, installed) in _applications(context).items()
        for package in installed.packages
    }
    return claim_folders(context, owners, "/vendor/")


def _applications(context: Context) -> dict[str, tuple[str, Installed]]:
    """Return name -> (directory, installed packages) of every application."""
    found = {}
    for path in context.glob(f"**/{_INSTALLED}"):
        text = context.text(path)
        installed = parse_installed(text) if text is not None else None
        if installed is not None:
            packages = {package.name: package for package in installed.packages}
            ordered = tuple(packages[name] for name in sorted(packages, key=sort_key))
            found[path.removesuffix(f"/{_INSTALLED}")] = installed._replace(packages=ordered)
        elif text is not None:
            context.gap(path, "not a list of installed packages")
    names = unique_names({root: (root, logical_name(root or "/")) for root in found})
    ordered_roots = sorted(found, key=lambda root: sort_key(names[root]))
    return {names[root]: (root, found[root]) for root in ordered_roots}


def _application_facts(root: str, installed: Installed, context: Context) -> dict[str, str]:
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
    reads=(f"**/{_INSTALLED}", f"**/{_LOCKFILE}"),
    collect=collect,
    claims=claims,
    needs_scan=True,
    needs_owners=True,
    sources=("Composer documentation, Basic usage",),
)
