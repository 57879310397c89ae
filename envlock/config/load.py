"""The effective configuration: options > ENVLOCK_* > envlock.toml > user config > defaults."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, cast

from envlock.config.convert import ToPath
from envlock.config.declare_table import Declaration, to_declaration
from envlock.config.policy_tables import Expectation, Waiver, to_expectation, to_waiver
from envlock.config.setting import Table, Value
from envlock.config.settings import SETTINGS, TABLES
from envlock.config.sources import (
    Origin,
    PathResolver,
    Row,
    Source,
    SourceSettings,
    find_project_file,
    read_bytes,
    read_file,
    read_flags,
    read_variables,
)
from envlock.model.scope import Root, is_role, parse_assignment

__all__ = [
    "CaptureConfig",
    "Config",
    "Declaration",
    "DiffConfig",
    "Environment",
    "LocksConfig",
    "MaterializeConfig",
    "NormalizeRule",
    "Origin",
    "PolicyFile",
    "Source",
    "StoreConfig",
    "load",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocksConfig:
    """``[locks]``: the directory of the lockfiles, and how their content travels.

    `carry` is ``git`` or ``none``, `carry_limit` is in bytes, `remote` is empty or the repository
    of a registry, `vendor` a directory, seen from the project, or the repository of a registry.
    """

    dir: Path
    carry: str = "none"
    carry_limit: int = 0
    remote: str = ""
    vendor: str = "vendor"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreConfig:
    """``[store]``: the directory of the store."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """One environment of the project; `target` is empty if only its lockfile is configured.

    `roots` are where its applications begin, and `traces` what runs of them touched, by role.
    """

    name: str
    target: str
    lock: Path
    roots: Mapping[str, Root]
    traces: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureConfig:
    """``[capture]``: path patterns, patterns of variable names, and a time limit in seconds."""

    files: tuple[str, ...]
    ignore: tuple[str, ...]
    env_allow: tuple[str, ...]
    env_deny: tuple[str, ...]
    with_state: tuple[str, ...]
    key: str
    timeout: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckConfig:
    """``[check]``: a severity."""

    fail_on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffConfig:
    """``[diff]``: a severity, ignored ``section:key[:fact]`` patterns, required sections.

    `presets` are names of `envlock.config.policy_tables.PRESETS`.  `baseline` is empty, a path, or
    ``git:REV:PATH`` if the policy came from a git revision.
    """

    fail_on: str
    ignore: tuple[str, ...]
    require: tuple[str, ...]
    presets: tuple[str, ...]
    baseline: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterializeConfig:
    """``[materialize]``: the most layers, where to look for packages.

    `mirrors` are URLs for apt, `snapshots` of services with all Debian packages, `archives`
    templates of addresses, `wheels` directories.
    """

    layers: int
    mirrors: tuple[str, ...]
    snapshots: tuple[str, ...]
    archives: tuple[str, ...]
    wheels: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalizeRule:
    """One ``[[normalize]]``: a path pattern and ``drop``, ``empty`` or ``keep``."""

    path: str
    action: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Every setting, typed; paths are absolute.

    `root` is the directory of envlock.toml, or the working directory without one.  `origins` has
    the origin of every setting by its key, of environments by ``environments.<name>``, and of
    arrays by their name (``waive``).  `key_folder` has the keys of `envlock key`.
    """

    root: Path
    file: Path | None
    jobs: int
    color: str
    locks: LocksConfig
    environments: Mapping[str, Environment]
    declare: Mapping[str, Declaration]
    capture: CaptureConfig
    check: CheckConfig
    diff: DiffConfig
    materialize: MaterializeConfig
    normalize: tuple[NormalizeRule, ...]
    expect: tuple[Expectation, ...]
    waive: tuple[Waiver, ...]
    store: StoreConfig
    key_folder: Path
    origins: Mapping[str, Origin]

    @property
    def workers(self) -> int:
        """How many artifacts are opened at once: `jobs`, or as many as there are CPUs."""
        return self.jobs or os.cpu_count() or 1


class PolicyFile(NamedTuple):
    """An envlock.toml to take the policy from: its bytes, its name in messages, and its paths."""

    raw: bytes
    shown: str
    to_path: ToPath


def load(
    cwd: Path,
    environ: Mapping[str, str],
    flags: Mapping[str, object],
    path: Path | None = None,
    policy: PolicyFile | None = None,
) -> Config:
    """Return the configuration for a command started in the absolute directory `cwd`.

    `flags` maps setting keys to the values of options, None for an option that is not given.
    `path` is an envlock.toml to use instead of the nearest one.  With `policy`, that file replaces
    the policy of all other files.  Raise ConfigError naming the line, variable or option.
    """
    paths = PathResolver(cwd, environ)
    file = cwd / path if path else find_project_file(cwd)
    root = file.parent if file else cwd
    sources = [_defaults(paths, root)]
    own = paths.xdg("XDG_CONFIG_HOME", ".config") / "envlock"
    user = own / "config.toml"
    if os.path.exists(user):
        sources.append(read_file(user, Source.USER, paths))
    if file:
        sources.append(read_file(file, Source.PROJECT, paths))
    if policy:
        sources[1:] = [source.only(lambda key: not is_policy(key)) for source in sources[1:]]
        replacement = read_bytes(policy.raw, policy.shown, Source.POLICY, policy.to_path)
        sources.append(replacement.only(is_policy))
    sources += (read_variables(environ, paths), read_flags(flags, paths))
    return _Merged(sources).config(root, file, own / "keys")


def is_policy(key: str) -> bool:
    """True for the settings of policy: ``[diff]``, ``[[expect]]``, ``[[waive]]``."""
    return key.startswith("diff.") or key in ("expect", "waive")


def _defaults(paths: PathResolver, root: Path) -> SourceSettings:
    values = {key: setting.default for key, setting in SETTINGS.items()}
    values["locks.dir"] = paths.absolute(str(values["locks.dir"]), root)
    values["store.path"] = str(paths.xdg("XDG_DATA_HOME", ".local/share") / "envlock")
    return SourceSettings(dict.fromkeys(values, Origin(Source.DEFAULT)), values)


class _Merged:
    """The settings of all sources; a later source overrides an earlier one."""

    def __init__(self, sources: list[SourceSettings]) -> None:
        self._values: dict[str, Value] = {}
        self._named: dict[str, dict[str, Row]] = {key: {} for key in TABLES}
        self._arrays: dict[str, tuple[Row, ...]] = {}
        self._origins: dict[str, Origin] = {}
        for source in sources:
            self._origins.update(source.origins)
            self._values.update(source.values)
            for key, rows in source.named.items():
                self._named[key].update(rows)
            self._arrays.update(source.arrays)

    def config(self, root: Path, file: Path | None, key_folder: Path) -> Config:
        locks = Path(self._text("locks.dir"))
        return Config(
            root=root,
            file=file,
            key_folder=key_folder,
            jobs=self._count("jobs"),
            color=self._text("color"),
            locks=self._locks(locks),
            environments={
                name: _environment(name, row, locks)
                for name, row in sorted(self._named["environments"].items())
            },
            declare={
                name: to_declaration(name, row)
                for name, row in sorted(self._named["declare"].items())
            },
            capture=CaptureConfig(
                files=self._texts("capture.files"),
                ignore=self._texts("capture.ignore"),
                env_allow=self._texts("capture.env-allow"),
                env_deny=self._texts("capture.env-deny"),
                with_state=self._texts("capture.with-state"),
                key=self._text("capture.key"),
                timeout=self._count("capture.timeout"),
            ),
            check=CheckConfig(fail_on=self._text("check.fail-on")),
            diff=DiffConfig(
                fail_on=self._text("diff.fail-on"),
                ignore=self._texts("diff.ignore"),
                require=self._texts("diff.require"),
                presets=self._texts("diff.presets"),
                baseline=self._text("diff.baseline"),
            ),
            materialize=MaterializeConfig(
                layers=self._count("materialize.layers"),
                mirrors=self._texts("materialize.mirrors"),
                snapshots=self._texts("materialize.snapshots"),
                archives=self._texts("materialize.archives"),
                wheels=tuple(Path(text) for text in self._texts("materialize.wheels")),
            ),
            normalize=tuple(map(_normalize_rule, self._rows("normalize"))),
            expect=tuple(map(to_expectation, self._rows("expect"))),
            waive=tuple(map(to_waiver, self._rows("waive"))),
            store=StoreConfig(path=Path(self._text("store.path"))),
            origins=self._origins,
        )

    def _locks(self, folder: Path) -> LocksConfig:
        return LocksConfig(
            dir=folder,
            carry=self._text("locks.carry"),
            carry_limit=self._count("locks.carry-limit"),
            remote=self._text("locks.remote"),
            vendor=self._text("locks.vendor"),
        )

    # The casts are safe, because `to_value` checked the type of each value.

    def _text(self, key: str) -> str:
        return cast("str", self._values[key])

    def _count(self, key: str) -> int:
        return cast("int", self._values[key])

    def _rows(self, key: str) -> tuple[Row, ...]:
        return self._arrays.get(key, ())

    def _texts(self, key: str) -> tuple[str, ...]:
        return cast("tuple[str, ...]", self._values[key])


def _environment(name: str, row: Row, locks: Path) -> Environment:
    lock = row.get("lock")
    return Environment(
        name=name,
        target=_field(TABLES["environments"], row, "target"),
        lock=Path(str(lock)) if lock else locks / f"{name}.lock",
        roots=roots_by_role(cast("tuple[str, ...]", row.get("roots", ()))),
        traces=traces_by_role(cast("tuple[str, ...]", row.get("traces", ()))),
    )


def roots_by_role(assignments: Iterable[str]) -> Mapping[str, Root]:
    """Return the roots of texts ``ROLE=ROOT``.  Raise ValueError saying what is wrong with one."""
    return {role: Root.parse(root) for role, root in map(parse_assignment, assignments)}


def traces_by_role(assignments: Iterable[str]) -> Mapping[str, tuple[Path, ...]]:
    """Return the files of texts ``ROLE=FILE``.  Raise ValueError saying what is wrong with one."""
    found: dict[str, tuple[Path, ...]] = {}
    for text in assignments:
        role, equals, path = text.partition("=")
        if not equals or not path or not is_role(role):
            raise ValueError(f"not ROLE=FILE: {text!r}")
        found[role] = (*found.get(role, ()), Path(path))
    return found


def _normalize_rule(row: Row) -> NormalizeRule:
    table = TABLES["normalize"]
    return NormalizeRule(
        path=_field(table, row, "path"),
        action=_field(table, row, "action"),
        reason=_field(table, row, "reason"),
    )


def _field(table: Table, row: Row, name: str) -> str:
    default = next(field.default for field in table.fields if field.key == name)
    return str(row.get(name, default))
