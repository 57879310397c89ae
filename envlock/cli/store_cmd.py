"""``envlock store``: check, clean or measure the store."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from envlock.cli.configuration import read_config
from envlock.cli.console import Console
from envlock.cli.messages import Message
from envlock.cli.operands import locks_in_use, open_store
from envlock.errors import ExitStatus, UsageError
from envlock.lockfile.reader import read_lock
from envlock.model.lock import tree_address
from envlock.store.carried import Dropped, drop_unneeded, objects_beside
from envlock.store.check import check
from envlock.store.gc import GcResult, collect_garbage
from envlock.store.objects import Store
from envlock.store.stats import stats

if TYPE_CHECKING:
    from envlock.config.load import Config

_DAY_SECONDS = 24 * 3600


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Run the chosen action."""
    config = read_config(arguments, console)
    if arguments.repository:
        return _gc_of_repository(arguments, config, console)
    with open_store(config) as store:
        match arguments.action:
            case "check":
                return _check(arguments, console, store)
            case "gc":
                return _gc(arguments, console, store)
            case _:
                return _stats(arguments, console, store)


def _check(arguments: argparse.Namespace, console: Console, store: Store) -> int:
    problems = check(store, arguments.read_data)
    if arguments.json:
        listed = [
            {"kind": p.kind, "where": str(p.where), "message": p.message, "refs": list(p.refs)}
            for p in problems
        ]
        console.out(json.dumps({"schema_version": 1, "problems": listed}, indent=2))
    for problem in () if arguments.json else problems:
        console.out(f"{problem.kind}: {problem.where}: {problem.message}")
        for name in problem.refs:
            console.out(f"  needed by {name}")
    if not problems:
        console.say(Message.STORE_INTACT)
    return ExitStatus.DRIFT if problems else ExitStatus.OK


def _gc(arguments: argparse.Namespace, console: Console, store: Store) -> int:
    unused = None if arguments.unused is None else arguments.unused * _DAY_SECONDS
    done = collect_garbage(store, arguments.grace, force=arguments.force, unused_seconds=unused)
    return _tell_gc(arguments, done, console)


def _gc_of_repository(arguments: argparse.Namespace, config: Config, console: Console) -> int:
    if arguments.action != "gc":
        raise UsageError("--repository is for `envlock store gc`", where="--repository")
    trees = {tree_address(read_lock(Path(path))) for path in locks_in_use([], config)} - {""}
    folder = objects_beside(Path(config.locks.dir) / "any.lock")
    return _tell_gc(arguments, drop_unneeded(folder, trees), console)


def _tell_gc(arguments: argparse.Namespace, done: GcResult | Dropped, console: Console) -> int:
    if arguments.json:
        document = {"kept": done.kept, "removed": done.removed, "freed_bytes": done.freed_bytes}
        console.out(json.dumps({"schema_version": 1, **document}, indent=2))
    else:
        freed = done.freed_bytes / 1e6
        console.summary(f"removed {done.removed:,} objects ({freed:,.1f} MB), kept {done.kept:,}")
    return ExitStatus.OK


def _stats(arguments: argparse.Namespace, console: Console, store: Store) -> int:
    found = stats(store)
    document = {
        "references": found.refs,
        "objects": found.objects,
        "object_bytes": found.object_bytes,
        "quarantined": found.quarantined,
        "cache_bytes": sum(found.caches.values()),
    }
    if arguments.json:
        described = {"schema_version": 1, **document, "caches": found.caches}
        console.out(json.dumps(described, indent=2))
    else:
        console.out("\n".join(f"{name.replace('_', ' ')}: {n:,}" for name, n in document.items()))
        for name, size in found.caches.items():
            console.out(f"  {_CACHES.get(name, name)}: {size:,} bytes")
    return ExitStatus.OK


_CACHES = {
    "captures": "snapshots for incremental captures",
    "digests": "digests of unchanged files",
    "artifacts": "fetched packages",
    "members": "tables of packages",
    "layers": "layers of images",
    "apt": "package indexes of apt",
}
"""What each cache of the store holds."""
