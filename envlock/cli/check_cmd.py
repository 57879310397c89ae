"""``envlock check``: prove that locks are canonical, closed and complete."""

from __future__ import annotations

import argparse
import json

from envlock.cli.console import Console
from envlock.cli.operands import locks_in_use, read_lock_bytes
from envlock.cli.options import add_json, read_config
from envlock.errors import ExitStatus, UsageError

_DESCRIPTION = """\
Prove that lockfiles are what envlock would write: canonical, valid by the schema, closed, free of
credentials. Without LOCK every lock of the lock folder is checked. Ends with 1 if one is not right.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description = _DESCRIPTION
    parser.add_argument("locks", nargs="*", metavar="LOCK", help="all of the lock folder")
    parser.set_defaults(rest="locks")
    add_json(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Check every lock and print every problem at once."""
    from envlock.lockfile.check import problems

    config = read_config(arguments, console)
    operands = locks_in_use(arguments.locks, config)
    if not operands:
        raise UsageError(
            f"there is no lock in {config.locks.dir}", hint="run `envlock capture` first"
        )
    found = {name: problems(read_lock_bytes(name, config), name) for name in operands}
    if arguments.json:
        console.out(json.dumps({"schema_version": 1, "problems": found}, indent=2))
    else:
        for name, messages in found.items():
            console.out("\n".join(f"{name}: {message}" for message in messages or ("ok",)))
    return ExitStatus.DRIFT if any(found.values()) else ExitStatus.OK
