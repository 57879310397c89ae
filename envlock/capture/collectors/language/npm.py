"""Node packages: global trees, trees of applications, and differences from their lockfiles.

A tree is a directory with a node_modules, written by npm, yarn, pnpm, bun or deno, or a project of
Yarn's Plug'n'Play.  Packages bundled inside
another one (bundleDependencies) are counted, not listed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover import node_pnp
from envlock.capture.discover.extension_modules import ExtensionModules
from envlock.capture.discover.loader_paths import LOADER_READS
from envlock.capture.discover.node_trees import (
    InstalledPackage,
    NodeTree,
    find_node_trees,
    read_package,
)
from envlock.capture.discover.package_folders import claim_folders
from envlock.capture.files.ownership import Claims
from envlock.formats.node import (
    MODULES,
    Lockfile,
    package_name,
    parse_lockfile,
    parse_node_version,
    parse_resolved,
)
from envlock.formats.node_locks import Integrities, parse_pnpm_lock, parse_yarn_lock
from envlock.model.record import Record
from envlock.model.text import sort_key
from envlock.secrets.urls import LOCAL, clean_facts, clean_origin

_NATIVE = "**/build/Release/*.node"
_NODE_ABI = re.compile(rb"\0node_register_module_v(\d{1,4})\0")
_SMALL = 4 * 1024 * 1024
_HIDDEN = f"{MODULES}/.package-lock.json"
_MANAGERS = (
    (_HIDDEN, "npm"),
    (f"{MODULES}/.modules.yaml", "pnpm"),
    (f"{MODULES}/.yarn-integrity", "yarn"),
    (f"{MODULES}/.yarn-state.yml", "yarn"),
    *((name, "yarn") for name in node_pnp.FILES),
    (f"{MODULES}/.bun", "bun"),
    (f"{MODULES}/.deno", "deno"),
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
_WITH_DIGESTS: tuple[tuple[str, Callable[[str], Integrities]], ...] = (
    (f"{MODULES}/.pnpm/lock.yaml", parse_pnpm_lock),
    ("pnpm-lock.yaml", parse_pnpm_lock),
    ("yarn.lock", parse_yarn_lock),
)
"""Lockfiles of other managers than npm that state the digests of packages."""


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each tree and for each package in it."""
    modules: dict[str, list[str]] = {}
    for path in context.glob(_NATIVE):
        modules.setdefault(path.partition("/build/Release/")[0], []).append(path)
    for name, tree in find_node_trees(context):
        stated = _stated(tree, context)
        built = {installed.folder for installed in tree.installed.values()} & modules.keys()
        yield Record("npm", name, _tree_facts(tree, context))
        names = _names(tree, context)
        for location in sorted(tree.installed, key=sort_key):
            facts = _facts(location, tree.installed[location], stated, context)
            folder = tree.installed[location].folder
            facts |= _native(modules[folder], context) if folder in built else {}
            peers = sorted({*tree.installed[location].package.peers} - names) if names else ()
            facts |= {"unmet-peers": " ".join(peers)} if peers else {}
            if facts:
                yield Record("npm", f"{name}/{location}", facts)


def _names(tree: NodeTree, context: Context) -> frozenset[str]:
    """Return the names of the packages of a tree and of its project.

    Empty for a global tree, whose packages find what they need elsewhere too.
    """
    if tree.prefix:
        return frozenset()
    project = read_package(f"{tree.root}/package.json", context)
    names = {each.package.name or location for location, each in tree.installed.items()}
    names |= {location.rpartition(f"{MODULES}/")[2] for location in tree.installed}
    return frozenset(names | ({project.name} if project else set()))


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
    owners: dict[str, str] = {}
    artifacts: dict[str, str] = {}
    for name, tree in find_node_trees(context):
        stated = _stated(tree, context)
        for location, installed in tree.installed.items():
            if not installed.is_link:
                owner = owners[installed.folder] = f"npm {name}/{location}"
                artifacts[owner] = _artifact(location, _published(location, installed, stated))
    return claim_folders(context, owners, f"/{MODULES}/", artifacts)


def _artifact(location: str, facts: Mapping[str, str]) -> str:
    """Return the words for a package of a registry: its name, version and digest; or empty."""
    if facts["origin"] or not facts["integrity"]:
        return ""
    return f"npm {facts['name'] or package_name(location)} {facts['version']} {facts['integrity']}"


def _tree_facts(tree: NodeTree, context: Context) -> dict[str, str]:
    if tree.prefix:
        header = context.text(f"{tree.prefix}/include/node/node_version.h", _SMALL) or ""
        facts = {"global": "true", "path": tree.prefix, "version": parse_node_version(header)}
        return clean_facts(facts)
    project = read_package(f"{tree.root}/package.json", context)
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


def _declared(lockfile: Lockfile | None, tree: NodeTree) -> dict[str, str]:
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


def _is_bundled(location: str, tree: NodeTree) -> bool:
    owner = tree.installed.get(location.rpartition(f"/{MODULES}/")[0])
    return owner is not None and bool(owner.bundled)


def _lockfile(path: str, context: Context) -> Lockfile | None:
    text = context.text(path)
    lockfile = parse_lockfile(text) if text is not None else None
    if text is not None and lockfile is None:
        context.gap(path, "not a lockfile")
    return lockfile


class _Stated(NamedTuple):
    """What lockfiles state of the packages of a tree: npm's hidden one, and digests of others."""

    hidden: Lockfile | None
    integrities: Integrities


def _stated(tree: NodeTree, context: Context) -> _Stated:
    hidden = _lockfile(f"{tree.root}/{_HIDDEN}", context)
    integrities: Integrities = {}
    if hidden is None:
        for name, parse in _WITH_DIGESTS:
            text = context.text(f"{tree.root}/{name}")
            if integrities := parse(text or ""):
                break
    return _Stated(hidden, integrities)


def _facts(
    location: str, installed: InstalledPackage, stated: _Stated, context: Context
) -> dict[str, str]:
    owner = context.owner(f"{installed.folder}/package.json")
    return clean_facts(
        {
            **_published(location, installed, stated),
            "editable": "true" if installed.is_link else "",
            "bundled": str(installed.bundled or ""),
            "packaged-by": "" if owner.startswith("npm ") else owner,
        }
    )


def _published(location: str, installed: InstalledPackage, stated: _Stated) -> dict[str, str]:
    """Return the facts that say what was published of a package; they may be empty."""
    package = installed.package
    locked = stated.hidden.packages.get(location) if stated.hidden else None
    if locked is not None and locked.version != package.version:
        locked = None  # it was replaced without npm
    origin, revision = parse_resolved(locked.resolved if locked else package.resolved)
    name = location.rpartition(f"{MODULES}/")[2]
    elsewhere = stated.integrities.get((package_name(location), package.version), "")
    return {
        "version": package.version,
        "name": package.name if package.name and not name.startswith(package.name) else "",
        "origin": LOCAL if installed.is_link else clean_origin(origin),
        "revision": revision,
        "integrity": locked.integrity if locked else package.integrity or elsewhere,
    }


COLLECTOR = Collector(
    name="npm",
    sections=("npm",),
    reads=(
        "**/package.json",
        *LOADER_READS,
        f"**/{_HIDDEN}",
        *(f"**/{name}" for name in node_pnp.FILES),
        *(f"**/{name}" for name in _READABLE),
        *(f"**/{name}" for name, _ in _WITH_DIGESTS),
        "**/include/node/node_version.h",
    ),
    collect=collect,
    claims=claims,
    needs_scan=True,
    needs_owners=True,
    sources=(
        "npm docs, package.json, package-lock.json, folders",
        "pnpm docs, Symlinked node_modules structure",
        "Yarn docs, Plug'n'Play specification",
        "Yarn docs, yarn.lock",
        "pnpm docs, pnpm-lock.yaml",
    ),
)
