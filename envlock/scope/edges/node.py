"""A Node application needs the packages that its package.json leads to, as Node resolves them.

Development dependencies are left out.  Where Yarn's Plug'n'Play replaces node_modules, and where
nothing states the dependencies of a tree, the tree is needed as a whole.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

from envlock.formats.json_values import at, json_or_none, members
from envlock.model.scope import MemberClass
from envlock.model.text import from_bytes
from envlock.model.tree import EntryType
from envlock.scope.graph import Around, EdgeKind, File, Item, Need, Node
from envlock.scope.platforms import is_for_this_system
from envlock.scope.programs import started_program
from envlock.scope.script_lines import interpreter_of

SECTION = "npm"
_MODULES = "node_modules"
_SOURCE = re.compile(r"\.[cm]?[jt]s\Z")
_NATIVE = re.compile(r"\.(?:node|so(?:\.[\d.]+)?)\Z")
_KINDS = ("dependencies", "optionalDependencies", "peerDependencies")
_SYSTEM_FOLDERS = ("/usr/share/nodejs", "/usr/lib/nodejs", "/usr/share/javascript")
"""Where Debian's Node looks after every node_modules."""
_PNP = (".pnp.cjs", ".pnp.data.json", ".pnp.js")
_BUILDERS = frozenset(
    {"bindings", "nan", "node-addon-api", "node-gyp-build", "node-pre-gyp", "prebuild-install",
     "@mapbox/node-pre-gyp", "node-gyp-build-optional-packages", "pkg-prebuilds", "cmake-js"}
)  # fmt: skip
"""What packages with compiled modules depend on."""
_HINTS = ("binary", "gypfile", "os", "cpu", "libc", "napi")
"""Fields of package.json that such packages have."""
_DEEPEST = 6
_LIMIT = 4 * 1024 * 1024
READS = ("**/package.json",)
"""Paths that this edge reads."""


def needs(node: Node, around: Around) -> Iterator[Need]:
    """Yield what a tree, a package, or a source file of an application needs."""
    if isinstance(node, Item):
        if node.section == SECTION and "/" not in node.key:
            folder = around.lock.sections.get(SECTION, {}).get(node.key, {}).get("path", "")
            if folder:
                yield from _of_tree(node.key, folder, around)
    elif posixpath.basename(node.path) == "package.json":
        yield from _of_package(posixpath.dirname(node.path), around)
    elif _SOURCE.search(node.path) or _is_node(interpreter_of(node.path, around)):
        yield from application(posixpath.dirname(node.path), around)


def _is_node(interpreter: str) -> bool:
    return posixpath.basename(interpreter) in ("node", "nodejs", "bun", "deno")


def application(folder: str, around: Around) -> Iterator[Need]:
    """Yield what the application in a directory, or the package that it is part of, leads to."""
    package = _nearest(folder, around)
    if f"/{_MODULES}/" in f"{package}/":
        yield Need(File(f"{package}/package.json"))
        return
    trees = {
        facts["path"]: key
        for key, facts in around.lock.sections.get(SECTION, {}).items()
        if "path" in facts and "/" not in key
    }
    above = package or folder
    while above not in trees and above != "/":
        above = posixpath.dirname(above)
    if above in trees:
        yield Need(Item(SECTION, trees[above]))
    if package and package != above:
        yield from _of_package(package, around)


def application_root(argument: str, around: Around) -> Iterator[Need]:
    """Yield what the root ``node:DIRECTORY`` leads to: the application, and ``node`` itself."""
    found = around.real(argument)
    if found is None:
        return
    yield from application(found.path, around)
    yield from started_program("node", "", around)


def _nearest(folder: str, around: Around) -> str:
    """Return the nearest directory with a package.json, from a directory upwards; or empty."""
    while around.view.stat(f"{folder.rstrip('/')}/package.json") is None:
        if folder == "/":
            return ""
        folder = posixpath.dirname(folder)
    return folder


def _of_tree(key: str, folder: str, around: Around) -> Iterator[Need]:
    is_stated = around.view.stat(f"{folder}/package.json") is not None
    is_pnp = any(around.view.stat(f"{folder}/{name}") is not None for name in _PNP)
    if is_stated and not is_pnp:
        yield from _of_package(folder, around)
        return
    records = around.lock.sections.get(SECTION, {})
    for each in (each for each in records if each.startswith(f"{key}/")):
        found = around.real(f"{folder}/{_MODULES}/{each.partition('/')[2]}/package.json")
        yield Need(Item(SECTION, each))
        if found is not None:
            yield Need(found)
    if is_pnp:
        for path in _native_below(f"{folder}/.yarn/unplugged", around):
            yield Need(File(path), "", MemberClass.LOADED)


def _of_package(folder: str, around: Around) -> Iterator[Need]:
    document = _document(folder, around)
    for name in dict.fromkeys(name for kind in _KINDS for name, _ in members(document, kind)):
        found = _resolved(name, folder, around)
        if found is not None:
            yield Need(found)
    if _may_be_native(document, folder, around):
        for path in _native_below(folder, around):
            yield Need(File(path), "", MemberClass.LOADED)


def _document(folder: str, around: Around) -> object:
    raw = around.view.read(f"{folder}/package.json", _LIMIT)
    return json_or_none(from_bytes(raw)) if raw is not None else None


def _resolved(name: str, folder: str, around: Around) -> File | None:
    """Return the package.json of a package by its name, as ``require`` in `folder` finds it."""
    while True:
        if posixpath.basename(folder) != _MODULES:
            found = around.real(f"{folder.rstrip('/')}/{_MODULES}/{name}/package.json")
            if found is not None:
                return found
        if folder in ("/", ""):
            break
        folder = posixpath.dirname(folder)
    extra = [path for path in around.variables.get("NODE_PATH", "").split(":") if path]
    for path in (*extra, *_SYSTEM_FOLDERS):
        found = around.real(f"{path}/{name}/package.json")
        if found is not None:
            return found
    return None


def _may_be_native(document: object, folder: str, around: Around) -> bool:
    """True for a package that may have compiled modules: so it says, or one was built in it."""
    if not isinstance(document, Mapping):
        return False
    needed = {name for name, _ in members(document, "dependencies")}
    if needed & _BUILDERS or any(at(document, hint) is not None for hint in _HINTS):
        return True
    return around.view.stat(f"{folder}/build/Release") is not None


def _native_below(folder: str, around: Around, depth: int = 0) -> Iterator[str]:
    """Yield the compiled modules and libraries of a package that are for this system."""
    if depth > _DEEPEST:
        return
    for name in around.view.names(folder):
        path = f"{folder}/{name}"
        if name == _MODULES and depth == 0:
            continue
        if _NATIVE.search(name):
            if is_for_this_system(path, around):
                yield around.view.resolve(path)
        elif "." not in name or name.rpartition(".")[2].isdigit():
            entry = around.view.stat(path)
            if entry is not None and entry.type is EntryType.DIRECTORY:
                yield from _native_below(path, around, depth + 1)


EDGE = EdgeKind(
    name="node",
    of="a Node application, or a package of one",
    to="the packages in its dependencies, optional and peer ones where they are installed, as "
    "`require` finds them; its compiled modules (`*.node`)",
    evidence="`package.json`, the nearest `node_modules`, links of a store, NODE_PATH",
    sources=("Node.js documentation, Modules: Loading from node_modules folders",
             "Yarn documentation, Plug'n'Play"),
    needs=needs,
    reads=READS,
)  # fmt: skip
