"""Discovery of Node packages: every directory with a node_modules, and what it leads to.

A package is found in node_modules itself; in a store inside of it, which it links to (pnpm, bun,
Yarn, deno, npm); in a store elsewhere (pnpm's virtual store); or in the archives of Yarn's
Plug'n'Play, which has no node_modules.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from envlock.capture.context import Context
from envlock.capture.discover.naming import logical_name, unique_names
from envlock.capture.discover.node_pnp import find_pnp
from envlock.capture.obstacle import LINK_TO_NOTHING, NOT_A_FILE
from envlock.formats.node import MODULES, Package, parse_location, parse_package
from envlock.model.text import sort_key
from envlock.model.tree import Entry, EntryType

_VERSIONED = re.compile(r"v?(\d+)\.\d+\.\d+\Z")
_UNPLUGGED = "/.yarn/unplugged/"
"""Packages that Yarn's Plug'n'Play could not leave in their archives; its list names them."""
_SMALL = 4 * 1024 * 1024
_MARKS = (".package-lock.json", ".modules.yaml", ".yarn-integrity", ".yarn-state.yml")
"""What package managers leave in a node_modules, even in one that has nothing but links."""


class InstalledPackage(NamedTuple):
    """A package in a tree: directory, package.json, and the number of bundled packages."""

    folder: str
    package: Package
    is_link: bool = False
    bundled: int = 0


class NodeTree(NamedTuple):
    """A directory with a node_modules, and location below that -> package."""

    root: str
    installed: Mapping[str, InstalledPackage]

    @property
    def prefix(self) -> str:
        """The prefix of a global tree (``PREFIX/lib``), empty for any other."""
        return posixpath.dirname(self.root) if posixpath.basename(self.root) == "lib" else ""


Found = dict[str, dict[str, list[InstalledPackage]]]
"""Root of a tree -> location -> packages there; several versions in a store."""


def find_node_trees(context: Context) -> list[tuple[str, NodeTree]]:
    """Return name and tree, sorted by name."""
    roots: Found = {}
    for path in context.glob(*(f"**/{MODULES}/{mark}" for mark in _MARKS)):
        root = posixpath.dirname(posixpath.dirname(path))
        if f"/{MODULES}/" not in f"{root}/":
            roots.setdefault(root or "/", {})
    _add_folders(roots, context)
    _add_elsewhere(roots, context)
    for root, packages in find_pnp(context).items():
        found = roots.setdefault(root or "/", {})
        for folder, package, is_workspace in packages:
            one = InstalledPackage(folder, package, is_link=is_workspace)
            found.setdefault(package.name, []).append(one)
    trees = [
        NodeTree(root, {**dict(_links(root, context)), **_without_bundled(_flat(found))})
        for root, found in roots.items()
    ]
    names = unique_names({tree.root: (tree.root, _base(tree)) for tree in trees})
    named = [(names[tree.root], tree) for tree in trees]
    return sorted(named, key=lambda pair: sort_key(pair[0]))


def _add_folders(roots: Found, context: Context) -> None:
    """Add each package.json in a node_modules, or in a directory that is linked as one."""
    linked = _linked_modules(context)
    for path in context.glob("**/package.json"):
        asked = path if f"/{MODULES}/" in path and _UNPLUGGED not in path else ""
        asked = next((f"{link}{path[len(r) :]}" for r, link in linked if path.startswith(r)), asked)
        location = parse_location(posixpath.dirname(asked)) if asked else None
        package = read_package(path, context) if location else None
        if location is None or package is None:
            continue
        key = location.path if not location.is_stored else package.name or location.path
        found = roots.setdefault(location.root, {}).setdefault(key, [])
        found.append(InstalledPackage(posixpath.dirname(path), package))


def _linked_modules(context: Context) -> list[tuple[str, str]]:
    """Return the directories of another name that a link node_modules leads to, and the link."""
    found = []
    for path in context.glob(f"**/{MODULES}"):
        entry = context.entry(path)
        if entry is not None and entry.type is EntryType.SYMLINK:
            real = context.resolve(path)
            if f"/{MODULES}/" not in f"{real}/" and real != "/":
                found.append((f"{real}/", f"{path}/"))
    return found


def _add_elsewhere(roots: Found, context: Context) -> None:
    """Add the packages of a store outside of the tree, as far as links lead to them.

    Each directory of such a store has a node_modules: with a package, and links to those it needs.
    """
    stores = set()
    for root, found in list(roots.items()):
        todo, seen = [f"{root.rstrip('/')}/{MODULES}"], set()
        while todo:
            for _, entry in _links_in(todo.pop(), context):
                folder = context.resolve(entry.path)
                location = parse_location(folder)
                if folder in seen or location is None or location.is_stored:
                    continue
                seen.add(folder)
                is_project = context.entry(f"{location.root}/package.json") is not None
                if location.root == root or is_project or f"/{MODULES}/" in location.path:
                    continue
                package = read_package(f"{folder}/package.json", context)
                if package is not None:
                    stores.add(location.root)
                    todo.append(f"{location.root}/{MODULES}")
                    found.setdefault(location.path, []).append(InstalledPackage(folder, package))
    for root in stores:
        roots.pop(root, None)


def _base(tree: NodeTree) -> str:
    version = _VERSIONED.match(posixpath.basename(tree.prefix))
    return f"node-{version[1]}" if version else logical_name(tree.prefix or tree.root)


def read_package(path: str, context: Context) -> Package | None:
    """Return a package.json of the scan, None when it is absent or (with a gap) unreadable."""
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


def _flat(found: Mapping[str, list[InstalledPackage]]) -> dict[str, InstalledPackage]:
    """Return location -> package; in a store with several versions of one, name@version."""
    flat: dict[str, InstalledPackage] = {}
    for location, packages in found.items():
        versions = {installed.package.version: installed for installed in reversed(packages)}
        for version, installed in versions.items():
            flat[location if len(versions) == 1 else f"{location}@{version}"] = installed
    return flat


def _without_bundled(found: dict[str, InstalledPackage]) -> dict[str, InstalledPackage]:
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


def _links(root: str, context: Context) -> Iterator[tuple[str, InstalledPackage]]:
    """Yield the workspace packages: links to a directory outside of every node_modules."""
    for location, entry in _links_in(f"{root.rstrip('/')}/{MODULES}", context):
        folder = context.resolve(entry.path)
        if f"/{MODULES}/" not in folder:
            package = read_package(f"{folder}/package.json", context)
            if package is not None:
                yield location, InstalledPackage(folder, package, is_link=True)


def _links_in(modules: str, context: Context) -> Iterator[tuple[str, Entry]]:
    """Yield the names of packages in a node_modules that are links."""
    for name in context.names(modules):
        inner = context.names(f"{modules}/{name}") if name.startswith("@") else ()
        for location in [f"{name}/{one}" for one in inner] or [name]:
            entry = context.entry(f"{modules}/{location}")
            if entry is not None and entry.type is EntryType.SYMLINK and location[0] != ".":
                yield location, entry
