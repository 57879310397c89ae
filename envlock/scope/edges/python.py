"""A Python environment needs its distributions, its interpreter and what its start-up adds.

An environment made for what is installed in it (virtual, conda, that of a base image) is needed as
a whole, not by what is imported: plug-ins and entry points are imported by names that no search
finds.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote, urlsplit

from envlock.formats.python import parse_direct_url, parse_headers, parse_pth, parse_record
from envlock.formats.python_requirements import (
    UnknownMarkerError,
    marker_holds,
    parse_requirement,
)
from envlock.model.scope import MemberClass
from envlock.model.text import from_bytes
from envlock.scope import python_envs
from envlock.scope.folders import libraries_below
from envlock.scope.graph import Around, EdgeKind, File, Item, Need, Node
from envlock.scope.packages import SYSTEMS, installed
from envlock.scope.python_envs import (
    SECTION,
    Environment,
    distributions,
    environment_at,
    environment_of_program,
    environments,
    is_whole,
    metadata,
    program_of,
    release_of,
    visible_to,
)
from envlock.versions import pep440

_LIMIT = 8 * 1024 * 1024
_INTERPRETER = re.compile(r"(?:python|pypy)[\d.]*t?\Z")
_LIBRARY = re.compile(r"\.so(?:\.[\d.]+)?\Z")
READS = (
    *python_envs.READS,
    *(f"**/*.dist-info/{name}" for name in ("METADATA", "RECORD", "direct_url.json")),
    *(f"**/*.{kind}-info/entry_points.txt" for kind in ("dist", "egg")),
    *(f"**/{kind}-packages/*.pth" for kind in ("site", "dist")),
)
"""Paths that this edge reads."""


def needs(node: Node, around: Around) -> Iterator[Need]:
    """Yield what an environment, a distribution, or a program in an environment's ``bin`` needs."""
    if isinstance(node, File):
        if _INTERPRETER.match(posixpath.basename(node.path)):
            return  # of many environments; the way to it says of which
        environment = environment_of_program(node.path, around)
        if environment is not None:
            yield Need(Item(SECTION, environment.key))
    elif node.section == SECTION and "/" in node.key:
        yield from _of_distribution(node.key, around)
    elif node.section == SECTION:
        for environment in environments(around):
            if environment.key == node.key:
                yield from _of_environment(environment, around)


def _of_environment(environment: Environment, around: Around) -> Iterator[Need]:
    for key in distributions(environment, around):
        yield Need(Item(SECTION, key))
    program = program_of(environment, around) or _shared_program(environment, around)
    if program is not None:
        yield Need(program, "pyvenv.cfg" if environment.settings else "")
    for folder in environment.folders:
        for name in around.view.names(folder):
            if name.endswith(".pth"):
                yield from _of_pth(folder, name, around)
    for folder in filter(None, around.variables.get("PYTHONPATH", "").split(":")):
        yield from added_folder(folder, "PYTHONPATH", around)


def _shared_program(environment: Environment, around: Around) -> File | None:
    """Return the interpreter of an environment that has none in its own directory."""
    home = environment.settings.get("home", "/usr/bin")
    for name in (f"python{environment.release}", "python3"):
        found = around.real(posixpath.join(home, name))
        if found is not None:
            return found
    return None


def _of_pth(folder: str, name: str, around: Around) -> Iterator[Need]:
    text = from_bytes(around.view.read(f"{folder}/{name}") or b"")
    for path in parse_pth(text).paths:
        yield from added_folder(posixpath.join(folder, path), name, around)


def added_folder(path: str, evidence: str, around: Around) -> Iterator[Need]:
    """Yield what a directory of modules brings in: an environment, or the libraries below it."""
    found = around.real(path)
    if found is None:
        return
    environment = environment_at(found.path, around)
    if environment is not None:
        yield Need(Item(SECTION, environment.key), evidence)
        return
    for library in libraries_below(found.path, around):
        yield Need(library, evidence, MemberClass.LOADED)


def _of_distribution(key: str, around: Around) -> Iterator[Need]:
    facts = around.lock.sections.get(SECTION, {}).get(key, {})
    info = metadata(key, around)
    yield from _required(key, info, around)
    owner = facts.get("packaged-by", "")
    if owner:
        package = Item.of_owner(owner)
        yield Need(package)
        if package.section in SYSTEMS:
            files = installed(around, package.section).files(package.key)
            yield from _libraries((path for path in files if "-packages/" in path), around)
        return
    folder = posixpath.dirname(info)
    record = from_bytes(around.view.read(f"{info}/RECORD", _LIMIT) or b"") if info else ""
    paths = (posixpath.join(folder, row.path) for row in parse_record(record))
    yield from _libraries(paths, around)
    yield from _of_source(info, around)


def _libraries(paths: Iterable[str], around: Around) -> Iterator[Need]:
    for path in paths:
        if _LIBRARY.search(path):
            found = around.real(posixpath.normpath(path))
            if found is not None:
                yield Need(found)


def _of_source(info: str, around: Around) -> Iterator[Need]:
    """Yield the libraries in the source directory of an editable distribution."""
    if info.endswith(".egg-link"):
        source = from_bytes(around.view.read(info) or b"").partition("\n")[0].strip()
    else:
        raw = around.view.read(f"{info}/direct_url.json") if info else None
        origin = parse_direct_url(from_bytes(raw)) if raw else None
        parts = urlsplit(origin.url) if origin is not None and origin.is_editable else None
        source = unquote(parts.path) if parts is not None and parts.scheme == "file" else ""
    if source.startswith("/"):
        yield from added_folder(source, "editable", around)


def _required(key: str, info: str, around: Around) -> Iterator[Need]:
    """Yield the installed distributions that the metadata of one requires."""
    records = around.lock.sections.get(SECTION, {})
    own = next((e for e in environments(around) if e.key == key.partition("/")[0]), None)
    if own is None or not info.endswith(("-info", "EGG-INFO")):
        return
    searched = _searched(own, around)
    name = "METADATA" if info.endswith(".dist-info") else "PKG-INFO"
    text = from_bytes(around.view.read(f"{info}/{name}", _LIMIT) or b"")
    for line in parse_headers(text).get("requires-dist", ()):
        requirement = parse_requirement(line)
        if requirement is None or not _applies(requirement.marker, own):
            continue
        wanted = (f"{each.key}/{requirement.name}" for each in searched)
        found = next((each for each in wanted if each in records), "")
        if found:
            yield Need(Item(SECTION, found))


def _searched(own: Environment, around: Around) -> tuple[Environment, ...]:
    """Return the environments in which the requirements of one of them are looked for."""
    if own.settings.get("include-system-site-packages", "true").lower() != "true":
        return (own,)
    if not own.settings and is_whole(own, around):
        return (own,)
    program = program_of(own, around) or _shared_program(own, around)
    if program is None:
        return (own,)
    others = visible_to(program.path, own.release or release_of(program.path, around), around)
    return (own, *(each for each in others if each != own))


def _applies(marker: str, environment: Environment) -> bool:
    """True where a marker holds, or cannot be judged: what is installed and named is needed."""
    facts = {
        "python_version": environment.release,
        "python_full_version": environment.version,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
    }
    try:
        return marker_holds(marker, facts, pep440.satisfies)
    except UnknownMarkerError:
        return "extra" not in marker


EDGE = EdgeKind(
    name="python",
    of="a Python environment, a distribution, or a program in an environment's `bin`",
    to="its distributions, interpreter, `.pth` targets and editable sources; the compiled modules "
    "of a distribution and what its metadata requires; the environment",
    evidence="`RECORD`, `METADATA`, `direct_url.json`, `pyvenv.cfg`, `*.pth`, PYTHONPATH",
    sources=(
        "PEP 405",
        "PEP 610",
        "Python library reference, site",
        "Recording installed projects",
    ),
    needs=needs,
    reads=READS,
)
