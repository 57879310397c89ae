"""What a declaration takes from its project, and the digest of both."""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from envlock.config.declare_table import PYTHON_INPUTS, Declaration
from envlock.errors import ConfigError, SecretRefusedError
from envlock.model.lock import Lock
from envlock.model.record import Record
from envlock.reading import read_file
from envlock.secrets.files import FileKind, judge_file
from envlock.secrets.redact import redact_text
from envlock.secrets.values import judge_value

SECTION = "declared"
"""The section of a lock that says which declaration it was made from."""
_FORM = "envlock:declaration:v1\n"


class Limits(NamedTuple):
    """The most files of a project that a declaration takes, and the most bytes of all of them."""

    files: int = 20_000
    size: int = 1 << 30


DEFAULT_LIMITS = Limits()


class InputFile(NamedTuple):
    """A file of the project: its path there, its content, and its mode in the environment."""

    source: str
    content: bytes
    mode: int


class Inputs(NamedTuple):
    """What a declaration takes from its project.

    `files` is by the path in the environment; `python` is what says which packages are wanted, and
    `npm` are package.json and package-lock.json by name.
    """

    files: Mapping[str, InputFile]
    python: InputFile | None
    npm: Mapping[str, InputFile]


def read_inputs(declaration: Declaration, root: Path, limits: Limits = DEFAULT_LIMITS) -> Inputs:
    """Read what a declaration takes from the project in the directory `root`.

    Raise ConfigError for a file that cannot be read, SecretRefusedError for a secret: neither it
    nor a digest of it may be in a lock.
    """
    reader = _Reader(root, f"declare.{declaration.name}", limits)
    _refuse_secret_words(declaration)
    modes = {place: int(mode, 8) for place, mode in declaration.modes}
    files: dict[str, InputFile] = {}
    for place, source in declaration.files:
        for below, path in reader.walk(source):
            where = f"{place}/{below}" if below else place
            files[where] = reader.read(path, where, modes.get(place))
    python = dict(declaration.python)
    wanted = next((python[name] for name in PYTHON_INPUTS if name in python), "")
    npm = dict(declaration.npm)
    folder = posixpath.dirname(npm.get("lock", ""))
    names = {"package.json": posixpath.join(folder, "package.json")} if npm else {}
    names |= {"package-lock.json": npm["lock"]} if npm else {}
    return Inputs(
        files,
        reader.read(wanted, f"/{wanted}") if wanted else None,
        {name: reader.read(path, f"/{path}") for name, path in names.items()},
    )


def declaration_digest(declaration: Declaration, inputs: Inputs) -> str:
    """Return the digest of a declaration and what it takes: ``sha256:`` and hex.

    Equal on every machine.  The name is not in it.
    """
    document = {
        "from": declaration.origin,
        "apt": sorted(set(declaration.apt)),
        "recommends": declaration.recommends,
        "suites": declaration.suites,
        "components": declaration.components,
        "mirrors": declaration.mirrors,
        "python": declaration.python,
        "npm": declaration.npm,
        "files": {place: _identity(file) for place, file in inputs.files.items()},
        "taken": {f.source: _identity(f) for f in (*inputs.npm.values(), inputs.python) if f},
        "env": declaration.env,
        "user": declaration.user,
        "cmd": declaration.cmd,
    }
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return f"sha256:{hashlib.sha256((_FORM + text).encode()).hexdigest()}"


def declared_record(declaration: Declaration, digest: str) -> Record:
    """Return the record of a lock that says which declaration it was made from."""
    return Record(SECTION, "", {"declaration": digest, "from": declaration.origin})


def digest_in(lock: Lock) -> str:
    """Return the digest of the declaration that a lock was made from, empty if it was captured."""
    return lock.get(SECTION).get("declaration", "")


def _identity(file: InputFile) -> tuple[str, int]:
    return hashlib.sha256(file.content).hexdigest(), file.mode


def _refuse_secret_words(declaration: Declaration) -> None:
    found = [
        f"env.{name}"
        for name, value in declaration.env
        if judge_value(name, value) or redact_text(value) != value
    ]
    if redact_text(" ".join(declaration.cmd)) != " ".join(declaration.cmd):
        found.append("cmd")
    if found:
        raise SecretRefusedError(
            "the declaration has a secret, which would be in the lock",
            where=f"declare.{declaration.name}.{found[0]}",
            hint="leave it out, and give it to the environment when that starts",
        )


class _Reader:
    """Reads files of the project, up to the limits."""

    def __init__(self, root: Path, where: str, limits: Limits) -> None:
        self._limits = limits
        self._root = root
        self._where = where
        self._count = self._size = 0

    def walk(self, source: str) -> Iterator[tuple[str, str]]:
        """Yield what is at a path: for a directory its files, in order, with the path below it."""
        top = self._root / source
        if not top.is_dir():
            yield "", source
            return
        for folder, names, files in os.walk(top):
            names.sort()
            for name in sorted(files):
                below = os.path.relpath(os.path.join(folder, name), top)
                yield below, posixpath.join(source, below)
            for name in names:
                if os.path.islink(os.path.join(folder, name)):
                    raise self._error(f"{source}: a link to a directory cannot be copied")

    def read(self, source: str, place: str, mode: int | None = None) -> InputFile:
        """Return one file; `place` is its path in the environment."""
        path = self._root / source
        try:
            found = os.lstat(path)
            if stat.S_ISLNK(found.st_mode):
                raise self._error(f"{source}: a link cannot be copied; name the file it leads to")
            content = read_file(path, self._limits.size - self._size)
        except OSError as error:
            raise self._error(f"cannot read {source}: {error.strerror}") from error
        self._count += 1
        self._size += len(content)
        if self._count > self._limits.files:
            raise self._error(f"takes more than {self._limits.files:,} files")
        chosen = (0o755 if found.st_mode & 0o100 else 0o644) if mode is None else mode
        judged = judge_file(place, mode=chosen, content=content, size=len(content))
        if judged.kind is not FileKind.PUBLIC:
            raise SecretRefusedError(
                f"this file has a secret, which would be in the lock: {source} ({judged.rule})",
                where=self._where,
                hint="leave it out, and give it to the environment when that starts",
            )
        return InputFile(source, content, chosen)

    def _error(self, message: str) -> ConfigError:
        return ConfigError(
            message, where=self._where, hint="see `files` and others in envlock.toml"
        )
