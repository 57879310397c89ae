"""``envlock digest``: the digests of a lock."""

from __future__ import annotations

import argparse
import hashlib
import json

from envlock.cli.console import Console
from envlock.cli.operands import open_store, read_environment, read_lock_bytes
from envlock.cli.options import add_json, add_lock, read_config
from envlock.errors import ExitStatus

_DESCRIPTION = """\
Print the digests of a lock, one a line:

environment  what is installed and configured: the identity of the environment
host         the machine below it: kernel, drivers, CPU
file         the bytes of the lockfile, what is pushed and signed
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description = _DESCRIPTION
    add_lock(parser)
    add_json(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the digests."""
    from envlock.lockfile.reader import parse_lock
    from envlock.lockfile.writer import render_lock
    from envlock.model.digest import digests
    from envlock.target.resolve import is_target

    config = read_config(arguments)
    if is_target(arguments.lock):
        with open_store(config) as store, console.progress("capturing") as steps:
            lock = read_environment(arguments.lock, config, store, steps).lock
        raw = render_lock(lock)
    else:
        raw = read_lock_bytes(arguments.lock, config)
        lock = parse_lock(raw, where=arguments.lock)
    found = digests(lock)
    values = {
        "environment": found.environment,
        "host": found.host,
        "file": f"sha256:{hashlib.sha256(raw).hexdigest()}",
    }
    if arguments.json:
        document = {"schema_version": 1} | {
            f"{name}_digest": value for name, value in values.items()
        }
        console.out(json.dumps(document, indent=2))
    else:
        console.out("\n".join(f"{name} {value}" for name, value in values.items()))
    return ExitStatus.OK
