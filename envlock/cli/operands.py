"""TARGET and LOCK operands: from what the user typed to a lock."""

from __future__ import annotations

import argparse
import os.path
import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from envlock.errors import LockfileError, TargetNameError, UsageError
from envlock.model.depth import Depth
from envlock.targets.kinds import TARGET_FORMS, capture_depth, is_target, suggested_name

if TYPE_CHECKING:
    from envlock.capture.request import Request
    from envlock.cli.console import Console
    from envlock.config.load import Config
    from envlock.lockfile.reader import ParsedTables
    from envlock.materialize.tree.rules import Rule
    from envlock.model.lock import Lock
    from envlock.store.objects import Store
    from envlock.workflow import Environment, Progress


def open_store(config: Config) -> Store:
    """Return the store that the configuration names."""
    from envlock.store.objects import Store

    return Store.open(Path(config.store.path))


def environment_name(target: str, config: Config) -> str:
    """Return the name of a target's environment: as configured, else made from the target."""
    for name, environment in config.environments.items():
        if environment.target == target:
            return name
    return safe_name(suggested_name(target)) or "host"


def safe_name(text: str) -> str:
    """Return `text` as the name of a lock: letters, digits, dots, dashes and underscores."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.")


def chosen_sections(words: Iterable[str], known: Collection[str]) -> frozenset[str]:
    """Return the sections that are named, several in a word with commas between them.

    Raise UsageError for one that is not known.
    """
    from envlock.config.convert import nearest

    names = [name.strip() for word in words for name in word.split(",")]
    for name in names:
        if name not in known:
            hint = nearest(name, tuple(sorted(known)))
            raise UsageError(f"no section is called {name}", hint=hint)
    return frozenset(names)


def make_request(arguments: argparse.Namespace, config: Config) -> Request:
    """Return what to capture, from the command line and the configuration."""
    from envlock.capture.registry import collectors
    from envlock.capture.request import Request

    known = {name for c in collectors() for name in (c.name, *c.sections)}
    only, skip = (chosen_sections(each, known) for each in (arguments.only, arguments.skip))
    for name in sorted(only & skip):
        raise UsageError(f"{name} is asked for and left out")
    depth = capture_depth(arguments.target, deep=arguments.deep)
    return Request(
        depth=Depth.RECORDS if only or arguments.record else depth,
        only=only,
        skip=skip,
        files=tuple(config.capture.files),
        ignore=tuple(config.capture.ignore),
        env_allow=tuple(config.capture.env_allow),
        env_deny=tuple(config.capture.env_deny),
        timeout=config.capture.timeout,
        jobs=config.jobs,
    )


def live_request(target: str, config: Config) -> Request:
    """Return what to capture of a target named where a lock was expected."""
    return make_request(
        argparse.Namespace(only=[], skip=[], target=target, deep=False, record=None), config
    )


def read_environment(
    operand: str,
    config: Config,
    store: Store,
    progress: Progress,
    known: ParsedTables | None = None,
) -> Environment:
    """Return the environment that a LOCK operand names; a live target is captured on the spot.

    `known` is for several reads in a row, see `envlock.lockfile.reader.parse_lock`.
    """
    from envlock.cli.policy_options import known_as
    from envlock.workflow import Environment, capture_target

    name = known_as(operand, config)
    if is_target(operand):
        captured = capture_target(operand, live_request(operand, config), store, progress)
        return Environment(operand, captured.lock, captured.tree, name)
    return Environment(operand, read_lock_operand(operand, config, known), known_as=name)


def lock_and_bytes(operand: str, config: Config, console: Console) -> tuple[Lock, bytes]:
    """Return the lock that an operand names and the bytes of its file.

    A live target is captured; its bytes are those the file would have.
    """
    from envlock.lockfile.reader import parse_lock
    from envlock.lockfile.writer import render_lock

    tell_live((operand,), config, console)
    if is_target(operand):
        with open_store(config) as store, console.progress("capturing") as steps:
            lock = read_environment(operand, config, store, steps).lock
        return lock, render_lock(lock)
    raw = read_lock_bytes(operand, config)
    return parse_lock(raw, where=place_of(operand, config)), raw


def read_lock_operand(operand: str, config: Config, known: ParsedTables | None = None) -> Lock:
    """Return the lock at a path, of a name, or in a git revision."""
    from envlock.lockfile.reader import parse_lock

    return parse_lock(read_lock_bytes(operand, config), place_of(operand, config), known)


def place_of(operand: str, config: Config) -> str:
    """Return how messages name the lockfile of an operand."""
    return operand if operand.startswith("git:") else str(lock_path(operand, config))


def read_lock_bytes(operand: str, config: Config) -> bytes:
    """Return the bytes of the lockfile that an operand names."""
    if operand.startswith("git:"):
        return git_show(operand)
    path = lock_path(operand, config)
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise LockfileError(
            f"no such lockfile or target: {operand}",
            where=str(path),
            hint=f"run `envlock capture --name {operand}`, or name a target such as docker:NAME"
            if path.name != operand
            else "run `envlock capture`",
        ) from None
    except OSError as error:
        raise LockfileError(
            f"cannot read the lockfile: {error.strerror}", where=str(path)
        ) from error


def lock_path(operand: str, config: Config) -> Path:
    """Return where the lockfile of an operand lies: a path, or the place of a name."""
    if operand in config.environments:
        return config.environments[operand].lock
    path = Path(operand)
    if os.path.isfile(path) or operand.endswith(".lock") or "/" in operand:
        return path
    if re.match(r"[a-z]+:", operand):
        raise TargetNameError(
            f"nothing is known as {operand}",
            hint=f"targets are {', '.join(TARGET_FORMS)}",
        )
    return Path(config.locks.dir) / f"{operand}.lock"


def tell_live(operands: Iterable[str], config: Config, console: Console) -> None:
    """Say of each operand that is a target and has a lock that it is the target that is read."""
    for operand in operands:
        if is_target(operand):
            path = Path(config.locks.dir) / f"{environment_name(operand, config)}.lock"
            if os.path.isfile(path):
                console.note(f"{operand}: captured as it is now; for its lock say {path}")


def user_rules(config: Config) -> tuple[Rule, ...]:
    """Return what the configuration adds to the normaliser's table."""
    from envlock.materialize.tree.rules import Action, user_rule

    return tuple(user_rule(rule.path, Action(rule.action)) for rule in config.normalize)


def locks_in_use(operands: Sequence[str], config: Config) -> list[str]:
    """Return the locks to look at: those named, else all of the lock folder."""
    if operands:
        return list(operands)
    folder = Path(config.locks.dir)
    if folder.is_relative_to(Path.cwd()):
        folder = folder.relative_to(Path.cwd())
    return [str(path) for path in sorted(folder.glob("*.lock"))]


def git_show(operand: str) -> bytes:
    """Return the bytes at ``git:REV:PATH``, a path from the working directory."""
    _, revision, path = (*operand.split(":", 2), "", "")[:3]
    if not revision or not path or revision.startswith("-"):
        raise UsageError(
            f"{operand} is not git:REV:PATH", hint="for example git:main:locks/dev.lock"
        )
    import subprocess

    shown = subprocess.run(
        ["git", "show", f"{revision}:./{path}"], capture_output=True, check=False
    )
    if shown.returncode:
        message = shown.stderr.decode(errors="replace").strip().removeprefix("fatal: ")
        raise LockfileError(f"git cannot show it: {message}", where=operand)
    return shown.stdout
