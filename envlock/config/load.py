"""The configuration that applies: flags > ENVLOCK_* > envlock.toml > user config > defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, cast

from envlock.config.convert import ToPath
from envlock.config.policy_tables import Expectation, Waiver, to_expectation, to_waiver
from envlock.config.setting import Table, Value
from envlock.config.settings import SETTINGS, TABLES
from envlock.config.sources import (
    Found,
    Origin,
    Places,
    Row,
    Source,
    find_project_file,
    read_bytes,
    read_file,
    read_flags,
    read_variables,
)

__all__ = [
    "CaptureConfig",
    "Config",
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
    """``[locks]``: the folder of the lockfiles."""

    dir: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreConfig:
    """``[store]``: the folder of the store."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """One environment of the project; `target` is empty when only its lockfile is known."""

    name: str
    target: str
    lock: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureConfig:
    """``[capture]``: path patterns, and patterns of variable names."""

    files: tuple[str, ...]
    ignore: tuple[str, ...]
    env_allow: tuple[str, ...]
    env_deny: tuple[str, ...]
    timeout: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffConfig:
    """``[diff]``: a severity, ignored ``section:key[:fact]`` patterns, required sections.

    `presets` are names of `envlock.config.policy_tables.PRESETS`.  `baseline` is empty, a path, or
    ``git:REV:PATH`` where the policy came from git.
    """

    fail_on: str
    ignore: tuple[str, ...]
    require: tuple[str, ...]
    presets: tuple[str, ...]
    baseline: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterializeConfig:
    """``[materialize]``: the layer budget, URLs of apt mirrors, folders of artifacts."""

    layers: int
    mirrors: tuple[str, ...]
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

    `root` is the folder of envlock.toml, or the working directory without one.  `origins` maps
    setting keys, and where given ``environments.<name>`` and the names of arrays (``waive``), to
    their origin.
    """

    root: Path
    file: Path | None
    jobs: int
    color: str
    locks: LocksConfig
    environments: Mapping[str, Environment]
    capture: CaptureConfig
    diff: DiffConfig
    materialize: MaterializeConfig
    normalize: tuple[NormalizeRule, ...]
    expect: tuple[Expectation, ...]
    waive: tuple[Waiver, ...]
    store: StoreConfig
    origins: Mapping[str, Origin]


class PolicyFile(NamedTuple):
    """An envlock.toml whose policy is to be used: its bytes, its name, and where its paths lead."""

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

    `flags` maps setting keys to what the command line says, None for nothing.  `path` is an
    envlock.toml to use instead of the nearest one.  With `policy` all that files say of policy
    is what that one says: nothing of envlock.toml adds to it.  Raise ConfigError naming the line,
    variable or flag.
    """
    places = Places(cwd, environ)
    file = cwd / path if path else find_project_file(cwd)
    root = file.parent if file else cwd
    sources = [_defaults(places, root)]
    user = places.xdg("XDG_CONFIG_HOME", ".config") / "envlock" / "config.toml"
    if os.path.isfile(user):
        sources.append(read_file(user, Source.USER, places))
    if file:
        sources.append(read_file(file, Source.PROJECT, places))
    if policy:
        sources[1:] = [found.only(lambda key: not is_policy(key)) for found in sources[1:]]
        said = read_bytes(policy.raw, policy.shown, Source.POLICY, policy.to_path)
        sources.append(said.only(is_policy))
    sources += (read_variables(environ, places), read_flags(flags, places))
    return _Merged(sources).config(root, file)


def is_policy(key: str) -> bool:
    """True for what decides about differences: ``[diff]``, ``[[expect]]``, ``[[waive]]``."""
    return key.startswith("diff.") or key in ("expect", "waive")


def _defaults(places: Places, root: Path) -> Found:
    values = {key: setting.default for key, setting in SETTINGS.items()}
    values["locks.dir"] = places.absolute(str(values["locks.dir"]), root)
    values["store.path"] = str(places.xdg("XDG_DATA_HOME", ".local/share") / "envlock")
    return Found(dict.fromkeys(values, Origin(Source.DEFAULT)), values)


class _Merged:
    """What the sources say together, the later ones winning."""

    def __init__(self, sources: list[Found]) -> None:
        self._values: dict[str, Value] = {}
        self._environments: dict[str, Row] = {}
        self._arrays: dict[str, tuple[Row, ...]] = {}
        self._origins: dict[str, Origin] = {}
        for found in sources:
            self._origins.update(found.origins)
            self._values.update(found.values)
            self._environments.update(found.named.get("environments", {}))
            self._arrays.update(found.arrays)

    def config(self, root: Path, file: Path | None) -> Config:
        locks = Path(self._text("locks.dir"))
        return Config(
            root=root,
            file=file,
            jobs=self._count("jobs"),
            color=self._text("color"),
            locks=LocksConfig(dir=locks),
            environments={
                name: _environment(name, row, locks)
                for name, row in sorted(self._environments.items())
            },
            capture=CaptureConfig(
                files=self._texts("capture.files"),
                ignore=self._texts("capture.ignore"),
                env_allow=self._texts("capture.env-allow"),
                env_deny=self._texts("capture.env-deny"),
                timeout=self._count("capture.timeout"),
            ),
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
                wheels=tuple(Path(text) for text in self._texts("materialize.wheels")),
            ),
            normalize=tuple(map(_normalize_rule, self._rows("normalize"))),
            expect=tuple(map(to_expectation, self._rows("expect"))),
            waive=tuple(map(to_waiver, self._rows("waive"))),
            store=StoreConfig(path=Path(self._text("store.path"))),
            origins=self._origins,
        )

    # `to_value` gave each value the type its kind promises.

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
    )


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
