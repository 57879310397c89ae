"""Packages installed by Spack, from the database in each of its installation trees."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.naming import logical_name, unique_names
from envlock.capture.discover.package_folders import claim_folders, version_keys
from envlock.capture.files.ownership import Claims
from envlock.formats.hpc import SpackPackage, parse_spack
from envlock.model.record import Record
from envlock.model.text import sort_key
from envlock.secrets.urls import clean_facts

_DATABASE = ".spack-db/index.json"
_HASH = 7
_DEFAULT = re.compile(r"/opt(?:/spack)?\Z")


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each package of each tree."""
    for name, (_, packages) in _trees(context).items():
        for key, package in packages.items():
            yield Record("spack", f"{name}/{key}", _facts(package))


def claims(context: Context) -> Claims:
    """Return a claim, without a digest, for each path in the directories of the packages."""
    owners = {
        package.path: f"spack {name}/{key}"
        for name, (root, packages) in _trees(context).items()
        for key, package in packages.items()
        if package.path.startswith(f"{root}/") and not package.is_external
    }
    return claim_folders(context, owners)


def _trees(context: Context) -> dict[str, tuple[str, Mapping[str, SpackPackage]]]:
    """Return name -> (directory, key -> package) of every tree."""
    found = {}
    for path in context.glob(f"**/{_DATABASE}"):
        text = context.text(path)
        packages = parse_spack(text) if text is not None else None
        if packages is None:
            if text is not None:
                context.gap(path, "not a Spack database")
            continue
        by_name = {(p.name, p.version, p.hash[:_HASH]): p for p in packages}
        keys = version_keys(by_name)
        ordered = sorted(by_name, key=lambda names: sort_key(keys[names]))
        found[path.removesuffix(f"/{_DATABASE}")] = {keys[n]: by_name[n] for n in ordered}
    names = unique_names({root: (root, _base(root)) for root in found})
    roots = sorted(found, key=lambda root: sort_key(names[root]))
    return {names[root]: (root, found[root]) for root in roots}


def _base(root: str) -> str:
    """Return a name for a tree, without ``opt/spack``, its default location below Spack itself."""
    return logical_name(_DEFAULT.sub("", root) or root or "/")


def _facts(package: SpackPackage) -> dict[str, str]:
    return clean_facts(
        {
            "version": package.version,
            "hash": package.hash,
            "compiler": package.compiler,
            "target": package.target,
            "system": package.system,
            "variants": package.variants,
            "repository": "" if package.namespace == "builtin" else package.namespace,
            "requested": "true" if package.is_explicit else "",
            "external": "true" if package.is_external else "",
        }
    )


COLLECTOR = Collector(
    name="spack",
    sections=("spack",),
    reads=(f"**/{_DATABASE}",),
    collect=collect,
    claims=claims,
    needs_scan=True,
    sources=("Spack documentation, Package installation database",),
)
