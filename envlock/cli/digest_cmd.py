"""``envlock digest``: print the digests of a lock."""

from __future__ import annotations

import argparse
import hashlib
import json

from envlock.cli.configuration import read_config
from envlock.cli.console import Console
from envlock.cli.operands import lock_and_bytes
from envlock.errors import ExitStatus
from envlock.model.digest import digests


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the digests."""
    lock, raw = lock_and_bytes(arguments.lock, read_config(arguments, console), console)
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
