""".NET: shared frameworks, SDKs, and applications with the libraries they depend on."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.naming import logical_name, unique_names
from envlock.capture.discover.package_folders import claim_folders, version_keys
from envlock.capture.files.ownership import Claims
from envlock.formats.dotnet import (
    Application,
    is_version,
    parse_deps,
    parse_runtime_config,
    parse_version_file,
)
from envlock.model.record import Record
from envlock.model.text import sort_key
from envlock.secrets.urls import LOCAL, clean_facts

_DEPS = ".deps.json"
_FRAMEWORK = re.compile(
    r"(?P<root>.*)/shared/(?P<name>[^/]+)/(?P<version>[^/]+)/(?P=name)\.deps\.json\Z"
)
_SDK = re.compile(r"(?P<root>.*)/sdk/(?P<version>[^/]+)/dotnet\.deps\.json\Z")
_PARTS = re.compile(r"/sdk/[^/]+/|/packs/|/obj/|/\.nuget/packages/")
_SMALL = 1024 * 1024


class _Part(NamedTuple):
    """A framework or SDK: its folder, and the root of the installation."""

    root: str
    name: str
    version: str
    folder: str


class _App(NamedTuple):
    """An application: the path of its deps.json, without the ending, and what that states."""

    stem: str
    deps: Application


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each framework and SDK, each application, and each of its libraries."""
    for key, part in _parts(context).items():
        revision, version = parse_version_file(
            context.text(f"{part.folder}/.version", _SMALL) or ""
        )
        facts = {
            "version": version or part.version,
            "revision": revision,
            "packaged-by": _owner(f"{part.folder}/.version", context),
        }
        yield Record("dotnet", key, clean_facts(facts))
    for name, app in _apps(context).items():
        yield Record("dotnet", name, _app_facts(app, context))
        own = posixpath.basename(app.stem)
        libraries = [library for library in app.deps.libraries if library.name != own]
        keys = version_keys((library.name, library.version) for library in libraries)
        for library in sorted(libraries, key=lambda each: sort_key(each.name)):
            facts = {
                "version": library.version,
                "integrity": library.integrity,
                "origin": LOCAL if library.kind == "project" else "",
            }
            key = keys[library.name, library.version]
            yield Record("dotnet", f"{name}/{key}", clean_facts(facts))


def claims(context: Context) -> Claims:
    """Return a claim, without a digest, for each path in the folders of frameworks and SDKs."""
    owners = {part.folder: f"dotnet {key}" for key, part in _parts(context).items()}
    return claim_folders(context, owners)


def _parts(context: Context) -> dict[str, _Part]:
    """Return key -> framework or SDK."""
    found: dict[str, list[_Part]] = {}
    for path in context.glob(f"**/shared/*/*/*{_DEPS}", f"**/sdk/*/dotnet{_DEPS}"):
        match = _FRAMEWORK.match(path) or _SDK.match(path)
        if match and is_version(match["version"]):
            name = match.groupdict().get("name") or "sdk"
            part = _Part(match["root"], name, match["version"], posixpath.dirname(path))
            found.setdefault(part.root, []).append(part)
    names = unique_names({root: (root, logical_name(root or "/")) for root in found})
    keyed: dict[str, _Part] = {}
    for root in sorted(found, key=lambda root: sort_key(names[root])):
        parts = {(part.name, part.version): part for part in found[root]}
        keyed |= {f"{names[root]}/{key}": parts[pair] for pair, key in version_keys(parts).items()}
    return keyed


def _apps(context: Context) -> dict[str, _App]:
    """Return name -> application; a damaged deps.json is a gap."""
    found: dict[str, _App] = {}
    for path in context.glob(f"**/*{_DEPS}"):
        if _FRAMEWORK.match(path) or _PARTS.search(path):
            continue
        text = context.text(path)
        deps = parse_deps(text) if text is not None else None
        if deps is not None:
            stem = path.removesuffix(_DEPS)
            found[stem] = _App(stem, deps)
        elif text is not None:
            context.gap(path, "not the dependencies of an application")
    wanted = {stem: (posixpath.dirname(stem), posixpath.basename(stem)) for stem in found}
    taken: Mapping[str, tuple[str, str]] = {
        f"\0{key}": ("", key.partition("/")[0]) for key in _parts(context)
    }
    names = unique_names({**taken, **wanted})
    return {names[stem]: found[stem] for stem in sorted(found, key=lambda s: sort_key(names[s]))}


def _app_facts(app: _App, context: Context) -> dict[str, str]:
    own = posixpath.basename(app.stem)
    config = context.text(f"{app.stem}.runtimeconfig.json", _SMALL)
    version = next((each.version for each in app.deps.libraries if each.name == own), "")
    facts = {
        "version": version,
        "target": app.deps.target,
        "frameworks": ", ".join(parse_runtime_config(config or "")),
        "packaged-by": _owner(f"{app.stem}{_DEPS}", context),
        "path": app.stem,
    }
    return clean_facts(facts)


def _owner(path: str, context: Context) -> str:
    owner = context.owner(path)
    return "" if owner.startswith("dotnet ") else owner


COLLECTOR = Collector(
    name="dotnet",
    sections=("dotnet",),
    reads=(f"**/*{_DEPS}", "**/*.runtimeconfig.json", "**/.version"),
    collect=collect,
    claims=claims,
    needs_scan=True,
    needs_owners=True,
    sources=(".NET documentation, Runtime configuration files", ".NET, Packaging and installing"),
)
