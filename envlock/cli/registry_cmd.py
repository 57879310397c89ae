"""``envlock registry``: what a registry can do."""

from __future__ import annotations

import argparse
import json

from envlock.cli.console import Console
from envlock.cli.registry_locks import open_repository
from envlock.errors import ExitStatus
from envlock.registry.probe import probe
from envlock.registry.reference import Reference

_WIDTH = 20


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Try each ability in the repository and print what came of it."""
    reference = Reference.parse(arguments.reference)
    with open_repository(reference) as repository:
        found = list(probe(repository))
    if arguments.json:
        document = {
            "schema_version": 1,
            "registry": f"{reference.host}/{reference.repository}",
            "abilities": [ability._asdict() for ability in found],
        }
        console.out(json.dumps(document, indent=2))
        return ExitStatus.OK
    for ability in found:
        word = {True: "yes", False: "no", None: "unknown"}[ability.is_there]
        detail = f"  {ability.detail}" if ability.detail else ""
        console.out(f"{ability.name:<{_WIDTH}}{word}{detail}")
    return ExitStatus.OK
