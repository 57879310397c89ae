"""Node packages: global trees, trees of applications, and differences from their lockfiles.

A tree is a directory with a node_modules, written by npm, yarn or pnpm.  Packages bundled inside
another one (bundleDependencies) are counted, not listed.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.extension_modules import ExtensionModules
from envlock.capture.discover.loader_paths import LOADER_READS
from envlock.capture.discover.naming import logical_name, unique_names
from envlock.capture.discover.package_folders import claim_folders
from envlock.capture.files.ownership import Claims
from envlock.capture.obstacle import LINK_TO_NOTHING, NOT_A_FILE
from envlock.formats.node import (
    MODULES,
    Lockfile,
    Package,
    parse_location,
    parse_lockfile,
    parse_node_version,
    parse_package,
    parse_resolved,
)
from envlock.model.record import Record
from envlock.model.text import sort_key
from envlock.model.tree import Entry, EntryType
from envlock.secrets.urls import LOCAL, clean_facts, clean_origin

_VERSIONED = re.compile(r"v?(\d+)\.\d+\.\d+\Z")
_NATIVE = "**/build/Release/*.node"
_NODE_ABI = re.compile(rb"\0node_register_module_v(\d{1,4})\0")
_SMALL = 4 * 1024 * 1024
_HIDDEN = f"{MODULES}/.package-lock.json"
_MANAGERS = (
    (_HIDDEN, "npm"),
    (f"{MODULES}/.modules.yaml", "pnpm"),
    (f"{MODULES}/.yarn-integrity", "yarn"),
    (f"{MODULES}/.yarn-state.yml", "yarn"),
)
_LOCKFILES = (
    "npm-shrinkwrap.json",
    "package-lock.json",
    "pnpm-lock.yaml",
    "yarn.lock",
    "bun.lock",
    "bun.lockb",
)
_READABLE = _LOCKFILES[:2]


class _Installed(NamedTuple):
    """A package in a tree: directory, package.json, and the number of bundled packages."""

    folder: str
    package: Package
    is_link: bool = False
    bundled: int = 0


class _Tree(NamedTuple):
    """A directory with a node_modules, and location below that -> package."""

    root: str
    installed: Mapping[str, _Installed]

    @property
    def prefix(self) -> str:
        """The prefix of a global tree (``PREFIX/lib``), empty for any other."""
        return posixpath.dirname(self.root) if posixpath.basename(self.root) == "lib" else ""


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each tree and for each package in it."""
    modules: dict[str, list[str]] = {}
    for path in context.glob(_NATIVE):
        modules.setdefault(path.partition("/build/Release/")[0], []).append(path)
    for name, tree in _trees(context):
        hidden = _lockfile(f"{tree.root}/{_HIDDEN}", context)
        built = {installed.folder for installed in tree.installed.values()} & modules.keys()
        yield Record("npm", name, _tree_facts(tree, context))
        for location in sorted(tree.installed, key=sort_key):
            facts = _facts(location, tree.installed[location], hidden, context)
            folder = tree.installed[location].folder
            facts |= _native(modules[folder], context) if folder in built else {}
            if facts:
                yield Record("npm", f"{name}/{location}", facts)


def _native(paths: list[str], context: Context) -> dict[str, str]:
    """Return what the modules of a package that were compiled here need.

    Facts: ``node-abi`` (the version of Node's binary interface, of modules that depend on it),
    ``missing`` (libraries) and ``lacking`` (versions of symbols).
    """
    modules = ExtensionModules(context)
    missing, lacking = modules.lacks(paths)
    abis = {abi for path in paths if (abi := modules.find(path, _NODE_ABI))}
    return clean_facts({"node-abi": " ".join(sorted(abis)), "missing": missing, "lacking": lacking})


def claims(context: Context) -> Claims:
    """Return a claim, without a digest, for each path in the directories of the packages."""
    owners = {
        installed.folder: f"npm {name}/{location}"
        for name, tree in _trees(context)
        for location, installed in tree.installed.items()
        if not installed.is_link
    }
    return claim_folders(context, owners, f"/{MODULES}/")


def _trees(context: Context) -> list[tuple[str, _Tree]]:
    roots: dict[str, dict[str, list[_Installed]]] = {}
    for path in context.glob(f"**/{_HIDDEN}"):
        root = path.removesuffix(f"/{_HIDDEN}")
        if f"/{MODULES}/" not in root:
            roots.setdefault(root or "/", {})
    for path in context.glob("**/package.json"):
        location = parse_location(posixpath.dirname(path)) if f"/{MODULES}/" in path else None
        package = _package(path, context) if location else None
        if location is None or package is None:
            continue
        key = location.path if not location.is_stored else package.name or location.path
        found = roots.setdefault(location.root, {}).setdefault(key, [])
        found.append(_Installed(posixpath.dirname(path), package))
    trees = [
        _Tree(root, {**dict(_links(root, context)), **_without_bundled(_flat(found))})
        for root, found in roots.items()
    ]
    names = unique_names({tree.root: (tree.root, _base(tree)) for tree in trees})
    named = [(names[tree.root], tree) for tree in trees]
    return sorted(named, key=lambda pair: sort_key(pair[0]))


def _base(tree: _Tree) -> str:
    version = _VERSIONED.match(posixpath.basename(tree.prefix))
    return f"node-{version[1]}" if version else logical_name(tree.prefix or tree.root)


def _package(path: str, context: Context) -> Package | None:
    entry = context.entry(path)
    if entry is None or entry.type not in (EntryType.FILE, EntryType.HARDLINK):
        if entry is not None:
            _explain(entry, context)
        return None
    text = context.text(path, _SMALL)
    package = parse_package(text) if text is not None else None
    if text is not None and package is None:
        context.gap(path, "not a package.json")
    return package


def _explain(entry: Entry, context: Context) -> None:
    """Record a gap for a folder, or a link to nothing, in the place of a package.json."""
    if entry.type is EntryType.DIRECTORY:
        context.gap(entry.path, NOT_A_FILE)
    elif context.entry(context.resolve(entry.path)) is None:
        context.gap(entry.path, LINK_TO_NOTHING)


def _flat(found: Mapping[str, list[_Installed]]) -> dict[str, _Installed]:
    """Return location -> package; in a store with several versions of one, name@version."""
    flat: dict[str, _Installed] = {}
    for location, packages in found.items():
        versions = {installed.package.version: installed for installed in reversed(packages)}
        for version, installed in versions.items():
            flat[location if len(versions) == 1 else f"{location}@{version}"] = installed
    return flat


def _without_bundled(found: dict[str, _Installed]) -> dict[str, _Installed]:
    bundling = {location for location, installed in found.items() if installed.package.is_bundling}
    inside: Counter[str] = Counter()
    kept = {}
    for location, installed in found.items():
        above, names = "", location.split(f"/{MODULES}/")
        owner = ""
        for name in names[:-1]:
            above = f"{above}/{MODULES}/{name}" if above else name
            owner = owner or (above if above in bundling else "")
        if owner:
            inside[owner] += 1
        else:
            kept[location] = installed
    return {
        location: installed._replace(bundled=inside[location])
        for location, installed in kept.items()
    }


def _links(root: str, context: Context) -> Iterator[tuple[str, _Installed]]:
    """Yield the workspace packages: links to a directory outside of every node_modules."""
    modules = f"{root.rstrip('/')}/{MODULES}"
    for name in context.names(modules):
        inner = context.names(f"{modules}/{name}") if name.startswith("@") else ()
        for location in [f"{name}/{one}" for one in inner] or [name]:
            entry = context.entry(f"{modules}/{location}")
            if entry is None or entry.type is not EntryType.SYMLINK or location.startswith("."):
                continue
            folder = context.resolve(entry.path)
            package = (
                None if f"/{MODULES}/" in folder else _package(f"{folder}/package.json", context)
            )
            if package is not None:
                yield location, _Installed(folder, package, is_link=True)


def _tree_facts(tree: _Tree, context: Context) -> dict[str, str]:
    if tree.prefix:
        header = context.text(f"{tree.prefix}/include/node/node_version.h", _SMALL) or ""
        facts = {"global": "true", "path": tree.prefix, "version": parse_node_version(header)}
        return clean_facts(facts)
    project = _package(f"{tree.root}/package.json", context)
    managers = (tool for mark, tool in _MANAGERS if context.entry(f"{tree.root}/{mark}"))
    lockfile = next((name for name in _LOCKFILES if context.entry(f"{tree.root}/{name}")), "")
    facts = {
        "global": "false",
        "path": tree.root,
        "version": project.version if project else "",
        "managed-by": next(managers, ""),
        "lockfile": lockfile,
    }
    if lockfile in _READABLE:
        facts |= _declared(_lockfile(f"{tree.root}/{lockfile}", context), tree)
    return clean_facts(facts)


def _declared(lockfile: Lockfile | None, tree: _Tree) -> dict[str, str]:
    """Return the numbers of packages in the lockfile that are missing or of another version."""
    if lockfile is None:
        return {}
    missing = differing = 0
    for location, locked in lockfile.packages.items():
        installed = tree.installed.get(location)
        if installed is not None:
            differing += bool(locked.version) and installed.package.version != locked.version
        elif not locked.may_lack and not _is_bundled(location, tree):
            missing += 1
    return {
        "lockfile-version": lockfile.version,
        "declared-missing": str(missing or ""),
        "declared-differing": str(differing or ""),
    }


def _is_bundled(location: str, tree: _Tree) -> bool:
    owner = tree.installed.get(location.rpartition(f"/{MODULES}/")[0])
    return owner is not None and bool(owner.bundled)


def _lockfile(path: str, context: Context) -> Lockfile | None:
    text = context.text(path)
    lockfile = parse_lockfile(text) if text is not None else None
    if text is not None and lockfile is None:
        context.gap(path, "not a lockfile")
    return lockfile


def _facts(
    location: str, installed: _Installed, hidden: Lockfile | None, context: Context
) -> dict[str, str]:
    package = installed.package
    locked = hidden.packages.get(location) if hidden else None
    if locked is not None and locked.version != package.version:
        locked = None  # it was replaced without npm
    origin, revision = parse_resolved(locked.resolved if locked else package.resolved)
    owner = context.owner(f"{installed.folder}/package.json")
    name = location.rpartition(f"{MODULES}/")[2]
    return clean_facts(
        {
            "version": package.version,
            "name": package.name if package.name and not name.startswith(package.name) else "",
            "origin": LOCAL if installed.is_link else clean_origin(origin),
            "editable": "true" if installed.is_link else "",
            "revision": revision,
            "integrity": locked.integrity if locked else package.integrity,
            "bundled": str(installed.bundled or ""),
            "packaged-by": "" if owner.startswith("npm ") else owner,
        }
    )


COLLECTOR = Collector(
    name="npm",
    sections=("npm",),
    reads=(
        "**/package.json",
        *LOADER_READS,
        f"**/{_HIDDEN}",
        *(f"**/{name}" for name in _READABLE),
        "**/include/node/node_version.h",
    ),
    collect=collect,
    claims=claims,
    needs_scan=True,
    needs_owners=True,
    sources=(
        "npm docs, package.json, package-lock.json, folders",
        "pnpm docs, Symlinked node_modules structure",
    ),
)
