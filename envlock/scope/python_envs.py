"""Python environments as an application finds them: by a program, a directory, a module's name.

Sources: the `site` module and "Initialization of the sys.path" in Python's library reference;
PEP 405 (virtual environments); Debian Python Policy 2.4 (dist-packages).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from envlock.formats.python import normalize_name, parse_pyvenv
from envlock.model.text import from_bytes
from envlock.model.tree import EntryType
from envlock.scope.graph import Around, File

SECTION = "python"
_LIBRARY = re.compile(r"(?:python|pypy)(?P<version>[23](?:\.\d+)?t?)\Z")
_PROGRAMS = ("python", "python3", "pypy3", "pypy")
_INFO = (".dist-info", ".egg-info", ".egg-link", ".egg")
READS = ("**/pyvenv.cfg",)
"""Paths that `environments` reads."""


class Environment(NamedTuple):
    """A Python environment of the lock.

    `key` is that of its record, `prefix` its directory, `version` what the record says.  `folders`
    are its directories of packages; `settings` are those of its pyvenv.cfg, empty for an
    environment that is not virtual.
    """

    key: str
    prefix: str
    version: str
    folders: tuple[str, ...]
    settings: Mapping[str, str]

    @property
    def release(self) -> str:
        """``X.Y``."""
        return ".".join(self.version.split(".")[:2])


def environments(around: Around) -> tuple[Environment, ...]:
    """Return the environments that have a record, in the order of the lock."""
    return around.once(_environments)


def _environments(around: Around) -> tuple[Environment, ...]:
    records = around.lock.sections.get(SECTION, {})
    named = {key: facts for key, facts in records.items() if "/" not in key and "path" in facts}
    prefixes = [facts["path"] for facts in named.values()]
    return tuple(
        Environment(
            key,
            facts["path"],
            facts.get("version", ""),
            _folders(key, facts["path"], prefixes.count(facts["path"]) == 1, around),
            _settings(facts["path"], around),
        )
        for key, facts in named.items()
    )


def _settings(prefix: str, around: Around) -> Mapping[str, str]:
    raw = around.view.read(posixpath.join(prefix, "pyvenv.cfg"))
    return parse_pyvenv(from_bytes(raw)) if raw is not None else {}


def _folders(key: str, prefix: str, is_only: bool, around: Around) -> tuple[str, ...]:
    """Return the directories of packages; of several environments in `prefix` those of `key`."""
    found: dict[str, None] = {}
    for lib in ("lib", "lib64"):
        for name in around.view.names(posixpath.join(prefix, lib)):
            match = _LIBRARY.match(name)
            for kind in ("site", "dist") if match else ():
                folder = posixpath.join(prefix, lib, name, f"{kind}-packages")
                ends = f"-{match['version']}" if match else ""
                is_its_own = is_only or key.endswith((ends, f"{ends}-site"))
                if is_its_own and around.view.stat(folder) is not None:
                    found[around.view.resolve(folder)] = None
    return tuple(found) or (prefix,)


def is_whole(environment: Environment, around: Around) -> bool:
    """True for an environment made for what is installed in it, so that it is needed as a whole.

    The others are those of a distribution or an account: shared by everything on the machine.
    """
    if environment.settings:
        return True
    return environment.prefix != "/usr" and program_of(environment, around) is not None


def program_of(environment: Environment, around: Around) -> File | None:
    """Return the interpreter in the directory of an environment, links followed; None for none."""
    for name in (*_PROGRAMS, f"python{environment.release}"):
        found = around.real(posixpath.join(environment.prefix, "bin", name))
        if found is not None:
            return found
    return None


def environment_at(folder: str, around: Around) -> Environment | None:
    """Return the environment whose directory, or directory of packages, is `folder` (real)."""
    for each in environments(around):
        if folder == each.prefix or folder in each.folders:
            return each
    return None


def environment_of_program(path: str, around: Around) -> Environment | None:
    """Return the environment that a program starts in, as the interpreter itself finds it.

    It is that of the first link on the way to the program which is in an environment's ``bin``.
    """
    for _ in range(40):
        folder = around.view.resolve(posixpath.dirname(path))
        if posixpath.basename(folder) == "bin":
            found = environment_at(posixpath.dirname(folder), around)
            if found is not None and is_whole(found, around):
                return found
        entry = around.view.stat(posixpath.join(folder, posixpath.basename(path)))
        if entry is None or entry.type is not EntryType.SYMLINK:
            return None
        path = posixpath.normpath(posixpath.join(folder, entry.target))
    return None


def visible_to(interpreter: str, release: str, around: Around) -> tuple[Environment, ...]:
    """Return the shared environments that an interpreter of a release (``3.11``) imports from.

    `interpreter` is its real path.
    """
    prefix = posixpath.dirname(posixpath.dirname(interpreter))
    prefixes = {prefix, "/usr/local"} if prefix == "/usr" else {prefix}
    return tuple(
        each
        for each in environments(around)
        if not each.settings
        and (each.prefix in prefixes or posixpath.basename(each.prefix) == ".local")
        and any(_is_of(folder, release) for folder in each.folders)
    )


def _is_of(folder: str, release: str) -> bool:
    match = _LIBRARY.match(posixpath.basename(posixpath.dirname(folder)))
    return match is not None and match["version"].rstrip("t") in (
        release,
        release.partition(".")[0],
    )


def release_of(interpreter: str, around: Around) -> str:
    """Return the release of an interpreter or of libpython by its name or its library, or empty."""
    match = re.search(r"(?:python|pypy)(\d+\.\d+)", posixpath.basename(interpreter))
    if match:
        return match[1]
    libraries = posixpath.join(posixpath.dirname(posixpath.dirname(interpreter)), "lib")
    found = (_LIBRARY.match(name) for name in around.view.names(libraries))
    return max((m["version"].rstrip("t") for m in found if m and "." in m["version"]), default="")


def distributions(environment: Environment, around: Around) -> Iterator[str]:
    """Yield the keys of the records of the distributions of an environment."""
    begin = f"{environment.key}/"
    return (key for key in around.lock.sections.get(SECTION, {}) if key.startswith(begin))


def metadata(key: str, around: Around) -> str:
    """Return the path of the metadata of a distribution, by the key of its record; or empty."""
    return around.once(_metadata).get(key, "")


def _metadata(around: Around) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for environment in environments(around):
        for folder in environment.folders:
            for name in around.view.names(folder):
                if name.endswith(_INFO):
                    project = normalize_name(name.rpartition(".")[0].partition("-")[0])
                    found.setdefault(f"{environment.key}/{project}", f"{folder}/{name}")
    return found
