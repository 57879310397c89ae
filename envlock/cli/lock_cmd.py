"""``envlock lock``: install a declared environment once in a sandbox, and write its lock."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from envlock.cli.carrying import keep_beside
from envlock.cli.configuration import read_config
from envlock.cli.console import Console
from envlock.cli.messages import Message
from envlock.cli.operands import live_request, lock_path, open_store
from envlock.cli.published import published_packages
from envlock.config.convert import spelling_hint
from envlock.declare.inputs import declaration_digest, declared_record, digest_in, read_inputs
from envlock.declare.pins import NO_PINS
from envlock.declare.sandbox import Sandbox
from envlock.declare.sources import lines_of_result, lines_to_install_from, read_sources
from envlock.declare.tools_of_machine import codename_of, tools_of_machine
from envlock.declare.upgrade import moved_against, pins_without
from envlock.diff.engine import Options
from envlock.errors import ConfigError, ExitStatus, InconclusiveError, SourceError, UsageError
from envlock.lockfile.reader import read_lock
from envlock.lockfile.writer import write_lock
from envlock.model.digest import digests
from envlock.model.lock import Lock, tree_address
from envlock.report.disclosure import disclosed_change
from envlock.store.refs import set_ref
from envlock.workflow import Environment, capture_target, compare_environments

if TYPE_CHECKING:
    from envlock.capture.result import Capture
    from envlock.config.load import Config, Declaration
    from envlock.declare.inputs import Inputs
    from envlock.declare.pins import Pins
    from envlock.diff.drift import Change
    from envlock.store.objects import Store

_MOST_SHOWN = 40


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Compare the declaration with the lock, or install it, show what moved, and write the lock."""
    config = read_config(arguments, console)
    declaration = _declaration(arguments.name, config)
    if arguments.frozen and (arguments.upgrade or arguments.dry_run):
        other = "--upgrade" if arguments.upgrade else "--dry-run"
        raise UsageError(f"--frozen and {other} exclude each other", hint="give one of them")
    inputs = read_inputs(declaration, config.root)
    digest = declaration_digest(declaration, inputs)
    path = Path(lock_path(arguments.name, config))
    old = read_lock(path) if os.path.lexists(path) else None
    if arguments.frozen:
        return _frozen(arguments, digest, path, old, console)
    pins = _pins(arguments, old, path)
    with open_store(config) as store:
        captured, pins = _installed(declaration, inputs, pins, config, store, console)
        lock = _declared(captured.lock, declaration, digest)
        if gone := moved_against(pins, lock):
            raise SourceError(
                f"no mirror has the versions of the lock any more: {', '.join(gone[:5])}",
                hint=f"run `envlock lock {arguments.name}`, which may move everything",
            )
        moved = _moved(old, lock, captured, store, path)
        if not arguments.dry_run and tree_address(lock):
            address = tree_address(lock)
            set_ref(store, f"tree {address}", trees=[address])
    _show(moved, old, arguments, console)
    changed = False
    if not arguments.dry_run:
        keep_beside(path, lock, config, console)
        changed = write_lock(path, lock)
        console.say(Message.WROTE if changed else Message.UNCHANGED, path=path)
    if arguments.json:
        document = {
            "schema_version": 1,
            "lock": str(path),
            "declaration": digest,
            "environment_digest": digests(lock).environment,
            "written": changed,
            "moved": [_row(change) for change in moved],
        }
        console.out(json.dumps(document, indent=2))
    return ExitStatus.OK


def _declaration(name: str, config: Config) -> Declaration:
    if name in config.declare:
        return config.declare[name]
    known = tuple(config.declare)
    hint = spelling_hint(name, known) if known else f"write [declare.{name}] in envlock.toml"
    raise ConfigError(f"nothing is declared as {name}", hint=hint)


def _frozen(
    arguments: argparse.Namespace, digest: str, path: Path, old: Lock | None, console: Console
) -> int:
    """Return 0 if the lock was made from the declaration, 1 if from another."""
    if old is None:
        raise UsageError(
            f"there is no lock of {arguments.name}",
            where=str(path),
            hint=f"run `envlock lock {arguments.name}`",
        )
    if not digest_in(old):
        raise InconclusiveError(
            "this lock was captured, not made from a declaration",
            where=str(path),
            hint=f"run `envlock lock {arguments.name}` to make one from the declaration",
        )
    is_fresh = digest_in(old) == digest
    if not is_fresh:
        console.say(Message.DECLARATION_CHANGED, name=arguments.name, path=path)
    if arguments.json:
        document = {"schema_version": 1, "lock": str(path), "declaration": digest}
        console.out(json.dumps({**document, "fresh": is_fresh}, indent=2))
    return ExitStatus.OK if is_fresh else ExitStatus.DRIFT


def _pins(arguments: argparse.Namespace, old: Lock | None, path: Path) -> Pins:
    if not arguments.upgrade:
        return NO_PINS
    if old is None:
        raise UsageError(
            "there is no lock in which one package could move",
            where=str(path),
            hint=f"run `envlock lock {arguments.name}`",
        )
    return pins_without(old, arguments.upgrade)


def _installed(
    declaration: Declaration,
    inputs: Inputs,
    pins: Pins,
    config: Config,
    store: Store,
    console: Console,
) -> tuple[Capture, Pins]:
    """Install in a sandbox, and capture that; also return the pins that could be held."""
    codename = codename_of(Path("/etc/os-release"))
    lines = lines_to_install_from(declaration, read_sources(Path("/etc/apt")), codename)
    tools = tools_of_machine(lines_of_result(declaration))
    with Sandbox(declaration, inputs, lines) as sandbox:
        with console.progress("installing"):
            installed = sandbox.install(pins, tools)
        target = f"oci:{installed.layout}"
        request = live_request(target, config)
        names = tuple(name for name, _ in declaration.env)
        request = replace(request, env_allow=(*request.env_allow, *names))
        published = published_packages(config, store, console, fetch=False)
        with console.progress("capturing") as steps:
            captured = capture_target(
                target, request, store, steps, keep=False, anew=True, published=published
            )
    return captured, installed.pins


def _declared(lock: Lock, declaration: Declaration, digest: str) -> Lock:
    """Return a lock that says which declaration it was made from."""
    record = declared_record(declaration, digest)
    return Lock.of((*lock.records(), record), lock.coverage, lock.version)


def _moved(
    old: Lock | None, lock: Lock, captured: Capture, store: Store, path: Path
) -> tuple[Change, ...]:
    """Return what the new lock has otherwise than the old one."""
    if old is None:
        return ()
    left = Environment(str(path), old)
    right = Environment("now", lock, captured.tree)
    return compare_environments(left, right, Options(), store, whole=True).changes


def _show(
    moved: tuple[Change, ...], old: Lock | None, arguments: argparse.Namespace, console: Console
) -> None:
    """Print what moved, the packages first; nothing with --json."""
    if arguments.json or old is None:
        return
    for change in moved[:_MOST_SHOWN]:
        row = _row(change)
        values = f"{row['left'] or 'none'} -> {row['right'] or 'none'}"
        console.out(f"{row['section']} {row['key']} {row['field']} {values}".replace("  ", " "))
    if len(moved) > _MOST_SHOWN:
        console.out(f"and {len(moved) - _MOST_SHOWN} more")
    if not moved:
        console.out("nothing moves")


def _row(change: Change) -> dict[str, str]:
    shown = disclosed_change(change)
    return {
        "section": shown.section,
        "key": shown.key,
        "field": shown.field,
        "kind": shown.kind.value,
        "left": shown.left or "",
        "right": shown.right or "",
    }
