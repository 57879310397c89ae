"""Directories that an image of an application holds as a whole: environments, and its own code."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

from envlock.materialize.closure.base_files import is_place_of_applications
from envlock.model.lock import Lock
from envlock.model.scope import Role, RootKind
from envlock.model.tree import Row

_SHARED = ("/", "/usr", "/usr/local")
_TREES = re.compile(r"(/opt/[^/]+|/usr/local/(?:lib|lib64|libexec|share)/[^/]+)/.")
"""Directories that software without a package is unpacked into."""
_ENVIRONMENTS = frozenset({".venv", "venv", "env", ".env", "virtualenv", "node_modules"})


def whole_folders(lock: Lock, role: Role, rows: Mapping[str, Row]) -> tuple[str, ...]:
    """Return the directories whose files of no package are kept, sorted."""
    found = {*_environments(lock, role), *_trees(role), *_code(lock, role)}
    return tuple(sorted(f.rstrip("/") for f in found if f.rstrip("/") in rows))


def _environments(lock: Lock, role: Role) -> Iterator[str]:
    """Yield what belongs to the environments of a language that are members."""
    for member in role.members:
        facts = lock.get(member.section, member.key)
        path = facts.get("path", "")
        if "/" in member.key or not path:
            continue
        if path not in _SHARED:
            yield path
        elif member.section == "python":
            version = ".".join(facts.get("version", "").split(".")[:2])
            yield f"{path}/lib/python{version}"
            yield from (f"{path}/bin/python{end}" for end in ("", "3", version))
            yield from (f"{path}/lib/libpython{end}" for end in ("3.so", f"{version}.so.1.0"))


def _trees(role: Role) -> Iterator[str]:
    for member in role.members:
        match = _TREES.match(member.key) if member.section == "file" else None
        if match:
            yield match[1]


def _code(lock: Lock, role: Role) -> Iterator[str]:
    """Yield the directories of the application's own code, of which there is no record."""
    process = lock.get("process")
    workdir = process.get("workdir", "")
    if role.root.kind is RootKind.PROCESS and workdir and is_place_of_applications(workdir):
        yield workdir
    argument = role.root.argument
    if role.root.kind in (RootKind.PYTHON, RootKind.NODE, RootKind.DIR, RootKind.CONDA):
        folder = argument.rstrip("/")
        if posixpath.basename(folder) in _ENVIRONMENTS:
            folder = posixpath.dirname(folder)
        if folder.startswith("/") and folder not in _SHARED:
            yield folder
