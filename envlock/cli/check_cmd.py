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
credentials; and that the parts of each environment can work together (a driver that is too old for
its CUDA, a library that is not the loaded module's). Without LOCK every lock of the lock folder is
checked. Ends with 1 if one is not right.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description = _DESCRIPTION
    parser.add_argument("locks", nargs="*", metavar="LOCK", help="all of the lock folder")
    parser.set_defaults(rest="locks")
    add_json(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Check every lock and print every problem at once."""
    from itertools import chain

    from envlock.cli.verdicts import is_failure, lock_verdicts, to_json, to_line
    from envlock.lockfile.check import problems

    config = read_config(arguments, console)
    operands = locks_in_use(arguments.locks, config)
    if not operands:
        raise UsageError(
            f"there is no lock in {config.locks.dir}", hint="run `envlock capture` first"
        )
    found, judged = {}, {}
    for name in operands:
        raw = read_lock_bytes(name, config)
        found[name] = problems(raw, name)
        judged[name] = lock_verdicts(raw, name)
    if arguments.json:
        document = {
            "schema_version": 1,
            "problems": found,
            "verdicts": {name: [to_json(v) for v in listed] for name, listed in judged.items()},
        }
        console.out(json.dumps(document, indent=2))
    else:
        for name in operands:
            lines = [*found[name], *map(to_line, judged[name])]
            console.out("\n".join(f"{name}: {line}" for line in lines or ("ok",)))
    is_wrong = any(found.values()) or any(is_failure(v) for v in chain(*judged.values()))
    return ExitStatus.DRIFT if is_wrong else ExitStatus.OK
