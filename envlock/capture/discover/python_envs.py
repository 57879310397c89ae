"""Discovery of Python environments, by their directories of packages.

Most are called site-packages or dist-packages.  Any other is found by the metadata in it, as
``pip install --target`` and function runtimes leave it.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Container, Mapping
from typing import NamedTuple

from envlock.capture.context import Context
from envlock.capture.discover.naming import logical_name, unique_names
from envlock.formats.python import parse_patch_level, parse_pyvenv, parse_version_info
from envlock.model.text import sort_key
from envlock.model.tree import EntryType

_PACKAGES = re.compile(
    r"(?P<prefix>.*?)/lib(?:64)?/(?P<kind>python|pypy)(?P<version>[23](?:\.\d+)?)(?P<threads>t?)"
    r"/(?P<folder>site|dist)-packages\Z"
)
_METADATA = ("**/*.dist-info/METADATA", "**/*.egg-info/installed-files.txt")
"""What an installer leaves beside the packages; a source tree has an egg-info without that list."""
_NOT_INSTALLED = re.compile(
    r"/\.cache/|/(?:archive|builds|environments|sdists|wheels)-v\d+/"  # of uv
    r"|/virtualenv/wheel/|/\.pex/|/__pycache__/|/_vendor(?:/|\Z)"
)
"""Unpacked packages that no interpreter imports from there, and copies inside of packages."""
_NAMED_PACKAGES = re.compile(r"/(?:site|dist)-packages\Z")
_TOOLS = (
    ("/pipx_metadata.json", "pipx"),
    ("/uv-receipt.toml", "uv tool"),
    ("/conda-meta/history", "conda"),
)
_STORES = (("/.pyenv/versions/", "pyenv"), ("/uv/python/", "uv"))
_IMPLEMENTATIONS = {"python": "cpython", "pypy": "pypy"}

READS = ("**/pyvenv.cfg", "**/patchlevel.h")
"""Paths that `find_python_envs` reads; a collector that calls it declares them."""


class PythonEnv(NamedTuple):
    """A Python environment.

    `name` is its logical name, `prefix` its directory; `folders` are the directories of its
    packages (two where lib64 is separate), `library` is that of the standard library.  `settings`
    are those of its pyvenv.cfg.  `manager` names the tool that created it, empty when unknown.
    `version` and `implementation` are empty where nothing says which interpreter uses it.
    """

    name: str
    prefix: str
    folders: tuple[str, ...]
    library: str
    version: str
    implementation: str
    is_free_threaded: bool
    settings: Mapping[str, str]
    manager: str

    @property
    def is_interpreter(self) -> bool:
        """True when the exact version is known, even if no package is installed."""
        return self.version.count(".") > 1


class _Found(NamedTuple):
    """What identifies an environment before it has a name."""

    prefix: str
    kind: str
    version: str
    threads: str
    folder: str


def find_python_envs(context: Context) -> list[PythonEnv]:
    """Return the environments, sorted by name."""
    groups = _group(context)
    settings = {found.prefix: _settings(found.prefix, context) for found in groups}
    managers = {found.prefix: _manager(found.prefix, context) for found in groups}
    bases = {
        found: _base(found, managers[found.prefix], is_venv=bool(settings[found.prefix]))
        for found in groups
    }
    uses = Counter(bases.values())
    for found, base in bases.items():
        if uses[base] > 1 and managers[found.prefix] in ("pyenv", "uv"):
            bases[found] = f"{managers[found.prefix]}-{posixpath.basename(found.prefix)}"
    names = unique_names({found: (found.prefix, bases[found]) for found in groups})
    envs = (
        _python_env(
            found,
            names[found],
            folders,
            settings[found.prefix],
            managers[found.prefix],
            context,
        )
        for found, folders in groups.items()
    )
    return sorted(envs, key=lambda env: sort_key(env.name))


def _group(context: Context) -> dict[_Found, tuple[str, ...]]:
    groups: dict[_Found, tuple[str, ...]] = {}
    others = []
    for path in context.glob("**/site-packages", "**/dist-packages"):
        match = _PACKAGES.match(path)
        entry = context.entry(path)
        if entry is None or entry.type is not EntryType.DIRECTORY:
            continue
        if match is None:
            others.append(path)
            continue
        prefix, kind, version, threads, folder = match.group(
            "prefix", "kind", "version", "threads", "folder"
        )
        found = _Found(prefix or "/", kind, version, threads, folder)
        groups[found] = (*groups.get(found, ()), path)
    usual = {path for folders in groups.values() for path in folders}
    others += {posixpath.dirname(posixpath.dirname(path)) for path in context.glob(*_METADATA)}
    for path in sorted(set(others) - usual, key=sort_key):
        if _NOT_INSTALLED.search(path) or _is_below(path, usual):
            continue
        # CUDA has a directory of metadata alone.
        if not all(name.endswith((".dist-info", ".egg-info")) for name in context.names(path)):
            groups[_Found(path, "", "", "", "")] = (path,)
    return groups


def _is_below(path: str, folders: Container[str]) -> bool:
    while path := path.rpartition("/")[0]:
        if path in folders:
            return True
    return False


def _settings(prefix: str, context: Context) -> Mapping[str, str]:
    path = posixpath.join(prefix, "pyvenv.cfg")
    text = context.text(path)
    settings = parse_pyvenv(text) if text is not None else {}
    if text is not None and "home" not in settings:
        context.gap(path, "does not say where the Python of the environment is")
    return settings


def _manager(prefix: str, context: Context) -> str:
    for marker, tool in _TOOLS:
        if context.entry(f"{prefix.rstrip('/')}{marker}") is not None:
            return tool
    parent = f"{posixpath.dirname(prefix)}/"
    return next((tool for end, tool in _STORES if parent.endswith(end)), "")


def _base(found: _Found, manager: str, *, is_venv: bool) -> str:
    """Return a name that does not depend on where the environment is on this machine."""
    if is_venv:
        return logical_name(found.prefix)
    version = found.version + found.threads
    if not version:
        return logical_name(_NAMED_PACKAGES.sub("", found.prefix) or "/")
    if manager in ("pyenv", "uv"):
        return f"{manager}-{version}"
    if posixpath.basename(found.prefix) == ".local":
        return f"user-{version}"
    suffix = "-site" if found.prefix == "/usr" and found.folder == "site" else ""
    return f"{logical_name(found.prefix)}-{version}{suffix}"


def _python_env(
    found: _Found,
    name: str,
    folders: tuple[str, ...],
    settings: Mapping[str, str],
    manager: str,
    context: Context,
) -> PythonEnv:
    version = settings.get("version_info") or settings.get("version") or ""
    library = posixpath.dirname(folders[0])
    if not version and found.version == "3":
        # Debian's interpreters share one directory; /usr/bin/python3 links to the default one.
        entry = context.stat(posixpath.join(found.prefix, "bin/python3"))
        version = (entry.target if entry else "").rpartition("/")[2].removeprefix("python")
        library = f"{found.prefix.rstrip('/')}/lib/python{version}" if version else library
    return PythonEnv(
        name=name,
        prefix=found.prefix,
        folders=folders,
        library=library,
        version=parse_version_info(version) or _exact(found, context) or found.version,
        implementation=settings.get("implementation") or _IMPLEMENTATIONS.get(found.kind, ""),
        is_free_threaded=bool(found.threads),
        settings=settings,
        manager=manager,
    )


def _exact(found: _Found, context: Context) -> str:
    """Return the version with its patch number from the C headers, empty without them."""
    if not found.kind:
        return ""
    name = f"{found.kind}{found.version}{found.threads}"
    path = posixpath.join(found.prefix, f"include/{name}/patchlevel.h")
    text = context.text(path)
    version = parse_patch_level(text or "")
    if text is not None and not version:
        context.gap(path, "states no version")
    return version
