"""Readers of the sources of settings: files, variables and options."""

from __future__ import annotations

import os
import pwd
import re
import tomllib
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from envlock import reading
from envlock.config.convert import InvalidValueError, ToPath, from_text, spelling_hint, to_value
from envlock.config.setting import Setting, Table, Value
from envlock.config.settings import SETTINGS, TABLES
from envlock.config.toml_position import Keys, line_of
from envlock.errors import ConfigError
from envlock.model.document import parse_toml

FILE_NAME = "envlock.toml"

MAX_SIZE = 4 << 20
"""The largest file of settings, policy or baseline, in bytes."""

_CHECKOUT = (".git", ".hg", ".jj", ".svn")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
_AT_LINE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)\Z")


class Source(StrEnum):
    """The sources of settings; each overrides those before it."""

    DEFAULT = "default"
    USER = "user config"
    PROJECT = "envlock.toml"
    POLICY = "policy"
    ENVIRONMENT = "environment"
    FLAG = "flag"


class Origin(NamedTuple):
    """The source of a value; `where` is the file, the variable or the option."""

    source: Source
    where: str = ""


Row = Mapping[str, Value]
"""The fields that one table of a `Table` sets: name -> value."""


class SourceSettings(NamedTuple):
    """The settings of one source by key: plain values, tables by name, arrays of tables.

    `origins` has the same keys, and ``environments.<name>`` for each table with a name.
    """

    origins: Mapping[str, Origin]
    values: Mapping[str, Value]
    named: Mapping[str, Mapping[str, Row]] = {}
    arrays: Mapping[str, tuple[Row, ...]] = {}

    def only(self, wanted: Callable[[str], bool]) -> SourceSettings:
        """Return the settings whose key is wanted."""
        return SourceSettings(
            {key: origin for key, origin in self.origins.items() if wanted(key)},
            {key: value for key, value in self.values.items() if wanted(key)},
            {key: rows for key, rows in self.named.items() if wanted(key)},
            {key: rows for key, rows in self.arrays.items() if wanted(key)},
        )


class PathResolver:
    """Makes paths that a user wrote absolute, without accessing the disk."""

    def __init__(self, cwd: Path, environ: Mapping[str, str]) -> None:
        self.cwd = cwd
        self._environ = environ

    def relative_to(self, directory: Path) -> ToPath:
        """Return a function that makes paths absolute which are relative to `directory`."""
        return lambda text: self.absolute(text, directory)

    def absolute(self, text: str, directory: Path) -> str:
        """Return the absolute path of `text`: below the home for ``~/``, else in `directory`."""
        if text == "~" or text.startswith("~/"):
            return str(self.home / text[2:])
        return str(directory / text)

    @property
    def home(self) -> Path:
        """The home directory of the user.  Raise ConfigError when there is none."""
        text = self._environ.get("HOME")
        if not text:
            try:
                text = pwd.getpwuid(os.getuid()).pw_dir
            except KeyError as error:
                raise ConfigError("this user has no home directory", hint="set HOME") from error
        return Path(text)

    def xdg(self, variable: str, default: str) -> Path:
        """Return an XDG base directory; a relative one is ignored, as the specification says."""
        text = self._environ.get(variable, "")
        return Path(text) if text.startswith("/") else self.home / default

    def shown(self, path: Path) -> str:
        """Return `path` as messages show it: relative if it is below the working directory."""
        return str(path.relative_to(self.cwd) if path.is_relative_to(self.cwd) else path)


def find_project_file(cwd: Path) -> Path | None:
    """Return the nearest envlock.toml from `cwd` up to the root of its version control checkout.

    Outside a checkout only `cwd` itself is searched, so that a file which someone left in /tmp does
    not affect the directories below.
    """
    directories = (cwd, *cwd.parents)
    roots = [n for n, directory in enumerate(directories) if _is_checkout(directory)]
    for directory in directories[: roots[0] + 1 if roots else 1]:
        if os.path.exists(directory / FILE_NAME):
            return directory / FILE_NAME
    return None


def _is_checkout(directory: Path) -> bool:
    # In a git worktree `.git` is a file.
    return any(os.path.exists(directory / marker) for marker in _CHECKOUT)


def read_variables(environ: Mapping[str, str], paths: PathResolver) -> SourceSettings:
    """Read the ENVLOCK_* variables.  Raise ConfigError naming the variable."""
    given = {s.key: text for s in SETTINGS.values() if (text := environ.get(s.variable))}
    origins = {key: Origin(Source.ENVIRONMENT, SETTINGS[key].variable) for key in given}
    return _convert(origins, given, paths)


def read_flags(flags: Mapping[str, object], paths: PathResolver) -> SourceSettings:
    """Read the settings of the command line: key -> value, None for an option that is not given.

    Raise ConfigError naming the option, KeyError for a key that is not a setting.
    """
    given = {key: raw for key, raw in flags.items() if raw is not None}
    origins = {key: Origin(Source.FLAG, SETTINGS[key].flag or key) for key in given}
    return _convert(origins, given, paths)


def _convert(
    origins: Mapping[str, Origin], given: Mapping[str, object], paths: PathResolver
) -> SourceSettings:
    to_path = paths.relative_to(paths.cwd)
    values = {}
    for key, raw in given.items():
        setting = SETTINGS[key]
        try:
            value = from_text(setting, raw) if isinstance(raw, str) else raw
            values[key] = to_value(setting, value, to_path)
        except InvalidValueError as error:
            where = origins[key].where
            raise ConfigError(f"{key} {error}", where=where, hint=error.hint) from error
    return SourceSettings(origins, values)


def read_file(path: Path, source: Source, paths: PathResolver) -> SourceSettings:
    """Read a configuration file.  Raise ConfigError naming the line."""
    shown = paths.shown(path)
    try:
        raw = reading.read_file(path, MAX_SIZE)
    except OSError as error:
        raise ConfigError(f"cannot read the settings: {error.strerror}", where=shown) from error
    return read_bytes(raw, shown, source, paths.relative_to(path.parent))


def read_bytes(raw: bytes, shown: str, source: Source, to_path: ToPath) -> SourceSettings:
    """Read the bytes of a configuration file; `shown` is its name in messages.

    Raise ConfigError naming the line.
    """
    try:
        text = raw.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ConfigError("the settings are not UTF-8", where=shown) from error
    return _Reader(text, shown, source, to_path).read()


class _Reader:
    """Reads one document; every error names the line."""

    def __init__(self, text: str, shown: str, source: Source, to_path: ToPath) -> None:
        self._text = text
        self._shown = shown
        self._source = source
        self._to_path = to_path
        self._values: dict[str, Value] = {}
        self._named: dict[str, dict[str, Row]] = {}
        self._arrays: dict[str, tuple[Row, ...]] = {}

    def read(self) -> SourceSettings:
        try:
            document = parse_toml(self._text)
        except tomllib.TOMLDecodeError as error:
            raise _syntax_error(error, self._text, self._shown) from error
        self._walk(document, ())
        keys = [*self._values, *self._arrays]
        keys += (f"{key}.{name}" for key, rows in self._named.items() for name in rows)
        origins = dict.fromkeys(keys, Origin(self._source, self._shown))
        return SourceSettings(origins, self._values, self._named, self._arrays)

    def _walk(self, table: Mapping[str, Any], above: tuple[str, ...]) -> None:
        for name, raw in table.items():
            keys = (*above, name)
            key = ".".join(keys)
            if key in SETTINGS:
                self._values[key] = self._value(SETTINGS[key], raw, keys)
            elif key in TABLES:
                self._table(TABLES[key], raw)
            elif any(known.startswith(f"{key}.") for known in SETTINGS):
                self._walk(self._mapping(raw, keys), keys)
            else:
                raise self._unknown(keys, tuple(_siblings(above)))

    def _table(self, table: Table, raw: object) -> None:
        if table.is_array:
            if not isinstance(raw, list):
                raise self._error((table.key,), "must be an array of tables")
            self._arrays[table.key] = tuple(
                self._row(table, row, (table.key, n)) for n, row in enumerate(raw)
            )
        else:
            self._named[table.key] = {
                self._name(table, name): self._row(table, row, (table.key, name))
                for name, row in self._mapping(raw, (table.key,)).items()
            }

    def _name(self, table: Table, name: str) -> str:
        if not _NAME.match(name):
            raise self._error(
                (table.key, name), "is not a valid name", "use letters, digits, - _ ."
            )
        return name

    def _row(self, table: Table, raw: object, keys: Keys) -> Row:
        fields = {field.key: field for field in table.fields}
        row = {}
        for name, item in self._mapping(raw, keys).items():
            if name not in fields:
                raise self._unknown((*keys, name), tuple(fields))
            row[name] = self._value(fields[name], item, (*keys, name))
        for name in sorted(table.required - row.keys()):
            raise self._error(keys, f"lacks {name}")
        problem = table.check(row)
        if problem:
            raise self._error(keys, problem)
        return row

    def _mapping(self, raw: object, keys: Keys) -> Mapping[str, Any]:
        if not isinstance(raw, dict):
            raise self._error(keys, "must be a table")
        return raw

    def _value(self, setting: Setting, raw: object, keys: Keys) -> Value:
        try:
            return to_value(setting, raw, self._to_path)
        except InvalidValueError as error:
            raise self._error(keys, str(error), error.hint) from error

    def _unknown(self, keys: Keys, known: tuple[str, ...]) -> ConfigError:
        return ConfigError(
            f"unknown setting {_dotted(keys)}",
            where=self._where(keys),
            hint=spelling_hint(str(keys[-1]), known),
        )

    def _error(self, keys: Keys, message: str, hint: str = "") -> ConfigError:
        return ConfigError(f"{_dotted(keys)} {message}", where=self._where(keys), hint=hint)

    def _where(self, keys: Keys) -> str:
        line = line_of(self._text, keys)
        return f"{self._shown}:{line}" if line else self._shown


def _siblings(above: tuple[str, ...]) -> list[str]:
    """Return the names that are allowed in the table `above`."""
    prefix = "".join(f"{name}." for name in above)
    known = (key.removeprefix(prefix) for key in (*SETTINGS, *TABLES) if key.startswith(prefix))
    return list(dict.fromkeys(key.partition(".")[0] for key in known))


def _dotted(keys: Keys) -> str:
    """Return keys for a message: ``environments.dev``, ``normalize[0].path``."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
    return text.removeprefix(".")


def _syntax_error(error: tomllib.TOMLDecodeError, text: str, shown: str) -> ConfigError:
    message = str(error)
    match = _AT_LINE.search(message)
    line = match[1] if match and match[1] else text.rstrip().count("\n") + 1
    message = _AT_LINE.sub("", message)
    return ConfigError(
        f"the settings are not TOML: {message[:1].lower()}{message[1:]}", where=f"{shown}:{line}"
    )
