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
from envlock.model.parity import parity_digest
from envlock.model.scope import roles_of


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the digests."""
    lock, raw = lock_and_bytes(arguments.lock, read_config(arguments, console), console)
    found = digests(lock)
    values = {
        "environment": found.environment,
        "host": found.host,
        "file": f"sha256:{hashlib.sha256(raw).hexdigest()}",
    }
    roles = {name: parity_digest(lock, role) for name, role in sorted(roles_of(lock).items())}
    if arguments.json:
        document: dict[str, object] = {"schema_version": 1}
        document |= {f"{name}_digest": value for name, value in values.items()}
        document["roles"] = roles
        console.out(json.dumps(document, indent=2))
    else:
        lines = [f"{name} {value}" for name, value in (*values.items(), *roles.items())]
        console.out("\n".join(lines))
    return ExitStatus.OK
