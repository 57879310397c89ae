"""Conda environments, found by their directory conda-meta, and the packages in them.

Packages that pip installed into an environment are in the section python.  Python packages that
conda installed are in both sections; there ``packaged-by`` names the conda package.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.naming import logical_name, unique_names
from envlock.capture.discover.package_folders import claim_parents
from envlock.capture.files.ownership import Claim, Claims
from envlock.formats.conda import Package, channel_name, notes_packages, parse_package, parse_specs
from envlock.formats.json_values import json_or_none, members
from envlock.model.record import Record
from envlock.model.text import sort_key
from envlock.secrets.urls import clean_facts, clean_origin

_META = "conda-meta"
_BASE = "conda"
_SMALL = 1024 * 1024
_NOT_RECORDS = ("state", "state.json")


class _Environment(NamedTuple):
    """An environment; its packages by name."""

    name: str
    prefix: str
    packages: dict[str, Package]


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each environment and for each package in it."""
    for environment in _environments(context):
        yield Record("conda", environment.name, _environment_facts(environment, context))
        requested = _requested(environment, context)
        for name in sorted(environment.packages, key=sort_key):
            package = environment.packages[name]
            facts = _facts(package, requested.get(name, ""))
            yield Record("conda", f"{environment.name}/{name}", facts)


def claims(context: Context) -> Claims:
    """Return a claim for each file of the packages, with a digest where conda recorded one.

    Their directories are claimed too, each for the first package with a file in it.
    """
    found: dict[str, Claim] = {}
    for environment in _environments(context):
        for name, package in environment.packages.items():
            for path, claim in _claims(package, f"{environment.name}/{name}", environment.prefix):
                found[f"{environment.prefix}/{path}"] = claim
        claim_parents(found, environment.prefix)
    return found


def _claims(package: Package, key: str, prefix: str) -> Iterator[tuple[str, Claim]]:
    """Yield the path of each file below the prefix, and its claim.

    A file that the archive has as it is, is referred to unseen, if a channel had the archive.  What
    installers changed is looked for in the archive.
    """
    folder = _folder(package)
    place = (prefix or "/", folder)
    hexes = (text.encode("utf-8", "surrogateescape").hex() for text in place)
    artifact = " ".join(("conda", *package.words, *hexes)) if package.words else ""
    for path, sha256, is_plain in package.files:
        digest = f"sha256:{sha256}" if sha256 else ""
        is_unseen = bool(artifact and folder and is_plain) and " " not in key
        source = f"conda {key} {path}" if is_unseen else ""
        yield (
            path,
            Claim(
                owner=f"conda {key}",
                digest=digest,
                source=source,
                artifact="" if source else artifact,
            ),
        )


def _folder(package: Package) -> str:
    """Return the URL that the archive came from without credentials; empty for a local file."""
    folder = clean_origin(package.folder)
    return folder if folder.startswith(("http://", "https://")) else ""


def _environments(context: Context) -> list[_Environment]:
    marks = context.glob(f"**/{_META}/history", f"**/{_META}/*.json")
    prefixes = sorted({posixpath.dirname(posixpath.dirname(mark)) for mark in marks}, key=sort_key)
    packages = {prefix.rstrip("/"): _packages(prefix.rstrip("/"), context) for prefix in prefixes}
    wanted = {prefix: (prefix, _base(prefix, packages[prefix])) for prefix in packages}
    names = unique_names(wanted)
    found = [_Environment(names[prefix], prefix, packages[prefix]) for prefix in packages]
    return sorted(found, key=lambda environment: sort_key(environment.name))


def _base(prefix: str, packages: Mapping[str, Package]) -> str:
    """Return a name that does not depend on where the environment is on this machine."""
    project, inside, name = prefix.partition("/.pixi/envs/")
    if inside:
        return logical_name(project or "/") + (f"-{name}" if name != "default" else "")
    return "base" if _BASE in packages else logical_name(prefix or "/")


def _packages(prefix: str, context: Context) -> dict[str, Package]:
    found: dict[str, Package] = {}
    for name in context.names(f"{prefix}/{_META}"):
        path = f"{prefix}/{_META}/{name}"
        if not name.endswith(".json") or name in _NOT_RECORDS:
            continue
        text = context.text(path)
        package = parse_package(text) if text is not None else None
        if package is None:
            if text is not None:
                context.gap(path, "not a package record")
        elif package.name in found:
            context.gap(path, "a second version of a package")
        else:
            found[package.name] = package
    history = f"{prefix}/{_META}/history"
    if not found and notes_packages(context.text(history) or ""):
        context.gap(history, "notes packages, and no record of one is there")
    return found


def _requested(environment: _Environment, context: Context) -> dict[str, str]:
    """Return name -> requested spec, from the package records or else from the history."""
    stated = {name: package.requested for name, package in environment.packages.items()}
    if any(stated.values()):
        return stated
    return parse_specs(context.text(f"{environment.prefix}/{_META}/history") or "")


def _environment_facts(environment: _Environment, context: Context) -> dict[str, str]:
    packages = environment.packages.values()
    platforms = Counter(p.subdir for p in packages if p.subdir not in ("", "noarch"))
    pinned = context.text(f"{environment.prefix}/{_META}/pinned", _SMALL) or ""
    pins = (line.strip() for line in pinned.split("\n"))
    state = json_or_none(context.text(f"{environment.prefix}/{_META}/state", _SMALL) or "")
    facts = {
        "environment": "true",
        "path": environment.prefix or "/",
        "platform": min(platforms, key=lambda name: (-platforms[name], name), default=""),
        "channels": " ".join(sorted({_channel(p) for p in packages} - {""})),
        "pinned": ", ".join(sorted(pin for pin in pins if pin and not pin.startswith("#"))),
        # Only names, since values may be secrets; the section env records those that are allowed.
        "variables": " ".join(sorted(name for name, _ in members(state, "env_vars"))),
        "frozen": "true" if context.entry(f"{environment.prefix}/{_META}/frozen") else "",
    }
    return clean_facts(facts)


def _channel(package: Package) -> str:
    return channel_name(clean_origin(package.channel), package.subdir)


def _facts(package: Package, requested: str) -> dict[str, str]:
    return clean_facts(
        {
            "version": package.version,
            "build": package.build,
            "channel": _channel(package),
            "subdir": package.subdir,
            "sha256": package.sha256,
            "md5": "" if package.sha256 else package.md5,
            "artifact": package.artifact,
            "url": _folder(package) if package.artifact else "",
            "requested": requested,
        }
    )


COLLECTOR = Collector(
    name="conda",
    sections=("conda",),
    reads=tuple(f"**/{_META}/{name}" for name in ("*.json", "history", "pinned", "state")),
    collect=collect,
    claims=claims,
    needs_scan=True,
    sources=(
        "conda documentation, Managing environments and Package metadata files",
        "CEP 22, frozen environments",
    ),
)
