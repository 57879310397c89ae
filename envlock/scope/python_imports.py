"""What a Python program imports, read from its source, and the distribution that has it.

It is asked of programs that run in an environment which everything on the machine shares; any
other environment is needed as a whole.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator

from envlock.formats.python_entry_points import parse_entry_points
from envlock.model.text import from_bytes
from envlock.scope.graph import Around, File, Item, Need
from envlock.scope.programs import find_path
from envlock.scope.python_envs import (
    SECTION,
    Environment,
    distributions,
    environment_of_program,
    metadata,
    release_of,
    visible_to,
)

_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(?P<of>[A-Za-z_]\w*)|import[ \t]+(?P<names>[A-Za-z_][\w., \t]*))",
    re.MULTILINE,
)
_MOST_FILES = 500
"""How many modules beside a program are read for what they import."""


def imported(path: str, around: Around) -> Iterator[str]:
    """Yield the top-level modules that a program and the modules beside it import, each once."""
    folder, seen = posixpath.dirname(path), set[str]()
    waiting, files = [path], {path}
    while waiting:
        text = from_bytes(around.view.read(waiting.pop()) or b"")
        for name in _names(text):
            if name in seen:
                continue
            seen.add(name)
            yield name
            beside = [p for p in _sources(f"{folder}/{name}", around) if p not in files]
            waiting += beside[: _MOST_FILES - len(files)]
            files.update(beside)


def _names(text: str) -> Iterator[str]:
    for match in _IMPORT.finditer(text):
        if match["of"]:
            yield match["of"]
        for part in (match["names"] or "").split(","):
            name = part.strip().partition(".")[0].partition(" ")[0]
            if name.isidentifier():
                yield name


def _sources(module: str, around: Around) -> Iterator[str]:
    """Yield the files of a module, those of a package one level deep."""
    if around.view.stat(f"{module}.py") is not None:
        yield f"{module}.py"
    for name in around.view.names(module):
        if name.endswith(".py"):
            yield f"{module}/{name}"


def providers(
    modules: Iterable[str], visible: Iterable[Environment], around: Around
) -> Iterator[Need]:
    """Yield the distribution, or else the file, that each module is imported from, if any has it.

    `visible` are the environments that are searched, in this order.
    """
    folders = [(folder, each) for each in visible for folder in each.folders]
    for module in modules:
        for folder, environment in folders:
            found = _module(f"{folder}/{module}", around)
            if found:
                yield Need(_distribution(found, environment, around), f"import {module}")
                break


def _module(path: str, around: Around) -> str:
    for name in (f"{path}/__init__.py", f"{path}.py", path):
        if around.view.stat(name) is not None:
            return around.view.resolve(name)
    return ""


def _distribution(path: str, environment: Environment, around: Around) -> Item | File:
    """Return the record of the distribution that a module belongs to, or its file without one."""
    owner = around.view.owner(path)
    records = around.lock.sections.get(SECTION, {})
    if owner.startswith(f"{SECTION} "):
        return Item.of_owner(owner)
    packaged = [
        key
        for key in distributions(environment, around)
        if records[key].get("packaged-by") == owner
    ]
    return Item(SECTION, packaged[0]) if owner and len(packaged) == 1 else File(path)


def console_script(name: str, visible: Iterable[Environment], around: Around) -> Item | None:
    """Return the distribution that a program is a console script of, None for no such program."""
    for environment in visible:
        for key, names in around.once(_scripts, environment.key).items():
            if name in names:
                return Item(SECTION, key)
    return None


def _scripts(around: Around, environment: str) -> dict[str, frozenset[str]]:
    """Return key of a distribution -> the names of its console and window scripts."""
    found = {}
    for key in around.lock.sections.get(SECTION, {}):
        info = metadata(key, around) if key.startswith(f"{environment}/") else ""
        raw = around.view.read(f"{info}/entry_points.txt") if info else None
        if raw:
            found[key] = parse_entry_points(from_bytes(raw))
    return found


def needs_of_script(path: str, interpreter: str, around: Around) -> Iterator[Need]:
    """Yield the distributions that a script needs of those that everything on the machine shares.

    A console script needs the distribution that it belongs to, any other those it imports.
    `interpreter` is the path or name by which the script is started.
    """
    started = find_path(interpreter, around)
    if not started or environment_of_program(started, around) is not None:
        return
    real = around.view.resolve(started)
    visible = visible_to(real, release_of(real, around), around)
    owner = console_script(posixpath.basename(path), visible, around)
    if owner is not None:
        yield Need(owner, "entry_points.txt")
    yield from providers(imported(path, around), visible, around)
