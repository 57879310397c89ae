"""What keeps parts of a Python environment from working, as its files show.

Sources: PEP 405 (virtual environments); PEP 610 (direct URLs); the `site` module; the packaging
specifications "Recording installed projects" and "Dependency specifiers".
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote, urlsplit

from envlock.capture.context import Context
from envlock.capture.discover.python_envs import PythonEnv
from envlock.formats.python import DirectUrl, Recorded, normalize_name
from envlock.formats.python_requirements import (
    UnknownMarkerError,
    marker_holds,
    parse_requirement,
)
from envlock.model.text import sort_key
from envlock.model.tree import EntryType
from envlock.versions import pep440

_SMALL = 1024 * 1024
_PROGRAM = re.compile(r"(?:python|pypy)(\d+\.\d+)t?\Z")
_SHORT = re.compile(r"\d+\.\d+")
_CAPS = ("<", "<=")
_CODE = (".py", ".so")
_NOT_IMPORTED = frozenset(
    {"test", "tests", "testing", "doc", "docs", "example", "examples", "benchmark", "benchmarks",
     "scripts", "tools", "bin", "samples", "ci", "conf", "setup.py", "conftest.py"}
)  # fmt: skip
"""First parts of paths that distributions ship by mistake, and nobody imports."""
_NAMESPACE = re.compile(rb"extend_path|declare_namespace|\A(?:\s*+#[^\n]*+)*+\s*+\Z")

Installed = Mapping[str, str]
"""Normalized name of a distribution -> its version."""


def interpreter_fault(env: PythonEnv, prefix: str, context: Context) -> str:
    """Return ``missing`` when the program of a virtual environment leads to nothing.

    Return its X.Y when it is of another release than the environment, and empty when it is fine.
    """
    if not env.settings:
        return ""
    names = frozenset(context.names(f"{prefix}/bin"))
    name = next((each for each in ("python", "python3", "pypy3") if each in names), "")
    if not name:
        return "missing" if "activate" in names else ""
    path = f"{prefix}/bin/{name}"
    if context.is_gone(path):
        return "missing"
    real = posixpath.basename(context.resolve(path))
    match, short = _PROGRAM.match(real), _SHORT.match(env.version)
    return match[1] if match and short and match[1] != short[0] else ""


def leftovers(env: PythonEnv, context: Context) -> str:
    """Return the names that an interrupted pip left: it renames to ``~name`` what it replaces."""
    names = {name for folder in env.folders for name in context.names(folder)}
    return " ".join(sorted((name for name in names if name.startswith("~")), key=sort_key))


def is_source_gone(origin: DirectUrl | None, context: Context) -> bool:
    """True when a distribution is linked to a source directory that does not exist."""
    if origin is None or not origin.is_editable:
        return False
    parts = urlsplit(origin.url)
    path = unquote(parts.path) if parts.scheme == "file" else ""
    return origin.is_gone or (path.startswith("/") and context.is_gone(path))


def overlaps(
    recorded: Iterable[tuple[str, str, tuple[Recorded, ...]]], context: Context
) -> dict[str, frozenset[str]]:
    """Return key -> the names of distributions that install other code to one of its paths.

    `recorded` are the key, the directory, and the RECORD of each distribution of an environment.
    """
    first: dict[str, tuple[str, str]] = {}
    found: dict[str, set[str]] = {}
    for key, folder, files in recorded:
        for path, sha256 in files:
            if not sha256 or not path.endswith(_CODE):
                continue
            other, digest = first.setdefault(path, (key, sha256))
            if other != key and digest != sha256 and _is_code(f"{folder}/{path}", path, context):
                found.setdefault(key, set()).add(other.rpartition("/")[2])
                found.setdefault(other, set()).add(key.rpartition("/")[2])
    return {key: frozenset(names) for key, names in found.items()}


def _is_code(absolute: str, path: str, context: Context) -> bool:
    """True for a file that is imported; the mark of a namespace package is shared by intention."""
    if path.startswith(("../", "/")) or path.partition("/")[0] in _NOT_IMPORTED:
        return False
    if not path.endswith("/__init__.py"):
        return True
    entry = context.entry(absolute)
    if entry is None or entry.type is not EntryType.FILE or entry.size > _SMALL:
        return entry is not None
    stream = context.open(entry)
    if stream is None:
        return False
    with stream:
        return _NAMESPACE.search(stream.read(_SMALL)) is None


def unmet_requirements(
    requires: Iterable[str], version: str, implementation: str, installed: Installed
) -> tuple[str, str]:
    """Return the requirements that what is installed does not meet, and those it goes beyond.

    `version` and `implementation` are those of the interpreter.  A requirement is gone beyond when
    the version is only newer than it allows.
    """
    environment = _environment(version, implementation)
    unmet, beyond = set(), set()
    for text in requires:
        requirement = parse_requirement(text)
        try:
            applies = requirement is not None and marker_holds(
                requirement.marker, environment, pep440.satisfies
            )
        except UnknownMarkerError:
            continue
        if requirement is None or not applies:
            continue
        has = installed.get(requirement.name, "")
        failed = [clause for clause in requirement.clauses if has and not _meets(has, *clause)]
        shown = requirement.name + ",".join(f"{c.operator}{c.version}" for c in failed)
        if not has:
            unmet.add(requirement.name)
        elif any(clause.operator not in _CAPS for clause in failed):
            unmet.add(f"{shown} ({has})")
        elif failed:
            beyond.add(f"{shown} ({has})")
    return "; ".join(sorted(unmet)), "; ".join(sorted(beyond))


def _meets(version: str, operator: str, wanted: str) -> bool:
    try:
        return pep440.satisfies(version, operator, wanted)
    except ValueError:
        return True


def _environment(version: str, implementation: str) -> dict[str, str]:
    short = _SHORT.match(version)
    names = {"cpython": "CPython", "pypy": "PyPy"}
    found = {
        "python_version": short[0] if short else "",
        "python_full_version": version if version.count(".") > 1 else "",
        "implementation_name": implementation,
        "platform_python_implementation": names.get(implementation, ""),
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
    }
    return {name: value for name, value in found.items() if value}


def visible_distributions(
    envs: Mapping[str, tuple[PythonEnv, Iterable[tuple[str, str]]]],
) -> dict[str, Installed]:
    """Return name of each environment -> the distributions that its interpreter can import.

    Those of the system, of a prefix and of accounts see each other; a virtual environment sees them
    only where its settings say so.
    """
    shared: dict[str, dict[str, str]] = {}
    own: dict[str, dict[str, str]] = {}
    for name, (env, distributions) in envs.items():
        own[name] = {normalize_name(project): version for project, version in distributions}
        if not env.settings:
            for project, version in own[name].items():
                shared.setdefault(_release(env), {}).setdefault(project, version)
    found: dict[str, Installed] = {}
    for name, (env, _) in envs.items():
        is_alone = bool(env.settings) and _is_isolated(env)
        found[name] = {**({} if is_alone else shared.get(_release(env), {})), **own[name]}
    return found


def _is_isolated(env: PythonEnv) -> bool:
    return env.settings.get("include-system-site-packages", "").lower() != "true"


def _release(env: PythonEnv) -> str:
    match = _SHORT.match(env.version)
    return match[0] if match else ""
