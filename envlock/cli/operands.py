"""TARGET and LOCK operands: from the words of the command line to locks and environments."""

from __future__ import annotations

import argparse
import os.path
import posixpath
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from envlock.cli import git_revision
from envlock.cli.messages import Message
from envlock.config.convert import spelling_hint
from envlock.config.load import roots_by_role, traces_by_role
from envlock.config.value_key import key_path, read_key
from envlock.errors import LockfileError, TargetNameError, UsageError
from envlock.lockfile.reader import parse_lock, read_lock_file
from envlock.lockfile.trace_file import read_trace
from envlock.lockfile.writer import render_lock
from envlock.model.depth import Depth
from envlock.model.scope import SECTION as SCOPE
from envlock.model.scope import Root, RootKind
from envlock.model.trace import Trace
from envlock.registry.reference import PREFIX as REGISTRY
from envlock.registry.reference import Reference
from envlock.secrets.keyed import ValueKey
from envlock.store.objects import Store
from envlock.targets.kinds import TARGET_FORMS, capture_depth, is_target, suggested_name
from envlock.workflow import Environment, Progress, Search, capture_target

if TYPE_CHECKING:
    from envlock.capture.request import Request
    from envlock.cli.console import Console
    from envlock.config.load import Config
    from envlock.lockfile.reader import ParsedTables
    from envlock.model.lock import Lock


def open_store(config: Config) -> Store:
    """Open the store that the configuration names."""
    return Store.open(Path(config.store.path))


def environment_name(target: str, config: Config) -> str:
    """Return the name of a target's environment: from envlock.toml, else derived from `target`."""
    for name, environment in config.environments.items():
        if environment.target == target:
            return name
    return safe_name(suggested_name(target)) or "host"


def safe_name(text: str) -> str:
    """Turn `text` into the name of a lock: letters, digits, dots, dashes and underscores."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.")


def chosen_sections(words: Iterable[str], known: Collection[str]) -> frozenset[str]:
    """Return the section names in `words`, each of which may hold several, separated by commas.

    Raise UsageError for a name that is not in `known`.
    """
    names = [name.strip() for word in words for name in word.split(",")]
    for name in names:
        if name not in known:
            hint = spelling_hint(name, tuple(sorted(known)))
            raise UsageError(f"no section is called {name}", hint=hint)
    return frozenset(names)


def make_request(
    arguments: argparse.Namespace, config: Config, value_key: ValueKey | None = None
) -> Request:
    """Return what to capture, from the command line and the configuration.

    `value_key` replaces the key that the configuration names.
    """
    from envlock.capture.request import Request

    only, skip = _chosen(arguments)
    roots = _roots(arguments, config)
    depth = capture_depth(arguments.target, deep=arguments.deep)
    return Request(
        depth=Depth.RECORDS if only else depth,
        only=only,
        skip=skip,
        files=tuple(config.capture.files),
        ignore=tuple(config.capture.ignore),
        env_allow=tuple(config.capture.env_allow),
        env_deny=tuple(config.capture.env_deny),
        value_key=value_key or _value_key(config),
        with_state=(*getattr(arguments, "with_state", ()), *config.capture.with_state),
        roots=roots,
        traces=_traces(arguments, config, roots),
        workdir=str(config.root) if arguments.target == "host" else "/",
        timeout=config.capture.timeout,
        jobs=config.jobs,
    )


def _chosen(arguments: argparse.Namespace) -> tuple[frozenset[str], frozenset[str]]:
    """Return the sections of ``--only`` and those of ``--skip``."""
    if not (arguments.only or arguments.skip):
        return frozenset(), frozenset()
    from envlock.capture.registry import collectors

    known = {name for c in collectors() for name in (c.name, *c.sections)}
    only = chosen_sections(arguments.only, known)
    skip = chosen_sections(arguments.skip, known | {SCOPE})
    for name in sorted(only & skip):
        raise UsageError(f"{name} is given to both --only and --skip")
    return only, skip


def _roots(arguments: argparse.Namespace, config: Config) -> Mapping[str, Root]:
    """Return the roots of ``--root``, else those that envlock.toml declares for the target."""
    given = getattr(arguments, "root", None)
    if given:
        try:
            return roots_by_role(given)
        except ValueError as error:
            raise UsageError(str(error), where="--root", hint="--root app=python:.venv") from error
    for environment in config.environments.values():
        if environment.target == arguments.target and environment.roots:
            return environment.roots
    return {}


def _traces(
    arguments: argparse.Namespace, config: Config, roots: Mapping[str, Root]
) -> Mapping[str, Trace]:
    """Return what runs touched, by role: ``--trace``, envlock.toml, and roots that are traces."""
    files: dict[str, tuple[Path, ...]] = {}
    for environment in config.environments.values():
        if environment.target == arguments.target:
            files.update(environment.traces)
    try:
        files.update(traces_by_role(getattr(arguments, "trace", None) or ()))
    except ValueError as error:
        hint = "--trace app=traces/pytest.trace"
        raise UsageError(str(error), where="--trace", hint=hint) from error
    for role, root in roots.items():
        if root.kind is RootKind.TRACE:
            files[role] = (*files.get(role, ()), config.root / root.argument)
    return {role: Trace.joined(map(read_trace, paths)) for role, paths in files.items()}


def _value_key(config: Config) -> ValueKey | None:
    name = config.capture.key
    return read_key(key_path(config.key_folder, name)) if name else None


def live_request(
    target: str,
    config: Config,
    value_key: ValueKey | None = None,
    roots: Sequence[str] = (),
    *,
    deep: bool = False,
) -> Request:
    """Return what to capture of a target that is given where a lock could be given.

    `roots` are those of ``--root``, which come before those of envlock.toml.  `deep` is ``--deep``.
    """
    chosen = argparse.Namespace(only=[], skip=[], target=target, deep=deep, root=list(roots))
    return make_request(chosen, config, value_key)


def key_of_comparison(operands: Iterable[str]) -> ValueKey | None:
    """Return a key in memory if all operands are captured now: then every value is compared."""
    return ValueKey.in_memory() if all(map(is_live, operands)) else None


def policy_name(operand: str, config: Config) -> str:
    """Return the name that policy has for the environment of an operand.

    It is the name in envlock.toml, else the name of the lockfile, else the operand itself.
    """
    if operand in config.environments:
        return operand
    is_revision = operand.startswith(git_revision.PREFIX)
    path = operand.rpartition(":")[2] if is_revision else operand
    base = posixpath.basename(path)
    short = base.removesuffix(".lock") if base.endswith(".lock") else operand
    named = [
        name
        for name, environment in config.environments.items()
        if environment.target == operand or environment.lock == Path.cwd() / path
    ]
    return short if short in named or not named else named[0]


def read_environment(
    operand: str,
    config: Config,
    store: Store,
    progress: Progress,
    known: ParsedTables | None = None,
    value_key: ValueKey | None = None,
    roots: Sequence[str] = (),
    search: Search | None = None,
    *,
    deep: bool = False,
) -> Environment:
    """Return the environment that a LOCK operand names; a live target is captured now.

    `value_key` makes the fingerprints of a live target, and `roots` and `search` find its
    applications.  `known` speeds up several reads in a row, see
    `envlock.lockfile.reader.parse_lock`.  With `deep` all files of a host are read.
    """
    name = policy_name(operand, config)
    if is_live(operand):
        request = live_request(operand, config, value_key, roots, deep=deep)
        captured = capture_target(operand, request, store, progress, search=search)
        return Environment(operand, captured.lock, captured.tree, name)
    return Environment(operand, read_lock_operand(operand, config, known), policy_name=name)


def lock_and_bytes(operand: str, config: Config, console: Console) -> tuple[Lock, bytes]:
    """Return the lock that an operand names and the bytes of its file.

    A live target is captured; its bytes are those that its lockfile would have.
    """
    note_live_targets((operand,), config, console)
    if is_live(operand):
        with open_store(config) as store, console.progress("capturing") as steps:
            lock = read_environment(operand, config, store, steps).lock
        return lock, render_lock(lock)
    raw = read_lock_bytes(operand, config)
    return parse_lock(raw, where=shown_path(operand, config)), raw


def read_lock_operand(operand: str, config: Config, known: ParsedTables | None = None) -> Lock:
    """Return the lock at a path, of a name, or at a git revision."""
    return parse_lock(read_lock_bytes(operand, config), shown_path(operand, config), known)


def shown_path(operand: str, config: Config) -> str:
    """Return the path of an operand's lockfile as messages show it."""
    has_no_path = operand.startswith((git_revision.PREFIX, REGISTRY))
    return operand if has_no_path else str(lock_path(operand, config))


def read_lock_bytes(operand: str, config: Config) -> bytes:
    """Return the bytes of the lockfile that an operand names.

    Raise LockfileError when it cannot be read, UsageError for an operand of no known form.
    """
    if operand.startswith(git_revision.PREFIX):
        return git_revision.read_revision(operand)
    if operand.startswith(REGISTRY):
        return _read_from_registry(operand)
    path = lock_path(operand, config)
    try:
        return read_lock_file(path)
    except LockfileError as error:
        if not isinstance(error.__cause__, FileNotFoundError):
            raise
        raise LockfileError(
            f"no such lockfile or target: {operand}",
            where=str(path),
            hint=f"run `envlock capture --name {operand}`, or name a target such as docker:NAME"
            if path.name != operand
            else "run `envlock capture`",
        ) from None


def _read_from_registry(operand: str) -> bytes:
    """Return the bytes of a lock in a registry.  Raise LockfileError when it is something else."""
    from envlock.cli.registry_locks import RegistryOrigin, lock_manifest, open_repository
    from envlock.store.manifests import parse_manifest
    from envlock.store.unpacking import read_lock_of

    with open_repository(Reference.parse(operand)) as repository:
        layers = parse_manifest(lock_manifest(repository).content, operand)
        return read_lock_of(layers, RegistryOrigin(repository))


def is_live(operand: str) -> bool:
    """True when an operand names an environment to capture now, rather than a lock.

    A registry is asked what it holds.
    """
    if not operand.startswith(REGISTRY):
        return is_target(operand)
    from envlock.cli.registry_locks import holds_lock

    return not holds_lock(operand)


def lock_path(operand: str, config: Config) -> Path:
    """Return the path of the lockfile that an operand names by path or by name."""
    if operand in config.environments:
        return config.environments[operand].lock
    path = Path(operand)
    if os.path.isfile(path) or operand.endswith(".lock") or "/" in operand:
        return path
    if re.match(r"[a-z]+:", operand):
        raise TargetNameError(
            f"no target has the form {operand}",
            hint=f"targets are {', '.join(TARGET_FORMS)}",
        )
    return Path(config.locks.dir) / f"{operand}.lock"


def remote_reference(operand: str, config: Config) -> Reference:
    """Return where ``locks.remote`` has the lock of a name or path: the tag is its name.

    Raise UsageError where no remote is set, or it is none.
    """
    remote = config.locks.remote
    name = safe_name(posixpath.basename(operand).removesuffix(".lock"))
    if not remote:
        raise UsageError(
            "no registry is named",
            hint=f"give {REGISTRY}HOST/REPOSITORY:TAG, or set remote in [locks] of envlock.toml",
        )
    if "@" in remote or ":" in remote.removeprefix(REGISTRY).partition("/")[2] or not name:
        raise UsageError(
            "locks.remote names a repository, without a tag", hint=f"{REGISTRY}HOST/REPOSITORY"
        )
    return Reference.parse(f"{remote}:{name}")


def note_live_targets(operands: Iterable[str], config: Config, console: Console) -> None:
    """Print a note for each target that has a lock: the live target is used, not its lock."""
    for operand in operands:
        if is_target(operand):
            path = Path(config.locks.dir) / f"{environment_name(operand, config)}.lock"
            if os.path.isfile(path):
                console.say(Message.LIVE_TARGET, target=operand, path=path)


def locks_in_use(operands: Sequence[str], config: Config) -> list[str]:
    """Return the operands, or without any the paths of all locks in the lock directory."""
    if operands:
        return list(operands)
    directory = Path(config.locks.dir)
    if directory.is_relative_to(Path.cwd()):
        directory = directory.relative_to(Path.cwd())
    return [str(path) for path in sorted(directory.glob("*.lock"))]
