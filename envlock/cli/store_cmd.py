"""``envlock store``: look after the store."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from envlock.cli.console import Console
from envlock.cli.operands import open_store
from envlock.cli.options import add_json, read_config
from envlock.errors import ExitStatus

if TYPE_CHECKING:
    from envlock.store.objects import Store

_GRACE_SECONDS = 3600
_DAY_SECONDS = 24 * 3600


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("action", choices=("check", "gc", "stats"))
    parser.add_argument(
        "--read-data", action="store_true", help="check: read every object and hash it again"
    )
    parser.add_argument(
        "--grace",
        type=_count,
        default=_GRACE_SECONDS,
        metavar="SECONDS",
        help="gc: keep what is younger (3600)",
    )
    parser.add_argument(
        "--unused",
        type=_count,
        metavar="DAYS",
        help="gc: also drop environments neither captured, compared nor rebuilt for so long",
    )
    parser.add_argument(
        "--force", action="store_true", help="gc: go on although no lock refers to anything"
    )
    add_json(parser)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"not a number from 0 on: {text!r}")
    return int(text)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Do one of the three."""
    with open_store(read_config(arguments, console)) as store:
        match arguments.action:
            case "check":
                return _check(arguments, console, store)
            case "gc":
                return _gc(arguments, console, store)
            case _:
                return _stats(arguments, console, store)


def _check(arguments: argparse.Namespace, console: Console, store: Store) -> int:
    from envlock.store.check import check

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
        console.note("the store is sound")
    return ExitStatus.DRIFT if problems else ExitStatus.OK


def _gc(arguments: argparse.Namespace, console: Console, store: Store) -> int:
    from envlock.store.gc import collect_garbage

    unused = None if arguments.unused is None else arguments.unused * _DAY_SECONDS
    done = collect_garbage(store, arguments.grace, force=arguments.force, unused_seconds=unused)
    if arguments.json:
        document = {"kept": done.kept, "removed": done.removed, "freed_bytes": done.freed_bytes}
        console.out(json.dumps({"schema_version": 1, **document}, indent=2))
    else:
        freed = done.freed_bytes / 1e6
        console.out(f"removed {done.removed:,} objects ({freed:,.1f} MB), kept {done.kept:,}")
    return ExitStatus.OK


def _stats(arguments: argparse.Namespace, console: Console, store: Store) -> int:
    from envlock.store.stats import stats

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
    "captures": "what captures left for the next",
    "digests": "digests by the times of files",
    "artifacts": "packages that were fetched",
    "unpacked": "packages unpacked",
    "layouts": "images",
    "apt": "indices of packages",
}
