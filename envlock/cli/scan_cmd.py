"""``envlock scan``: search locks, stores, images, recordings, reports or any files for secrets."""

from __future__ import annotations

import argparse
import json

from envlock.cli.console import Console
from envlock.cli.scan_contents import Unsearched, scan
from envlock.cli.scan_recording import Hit
from envlock.errors import ExitStatus, UsageError
from envlock.model.text import make_visible


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the file, place and rule of everything that is a secret, never its value."""
    for path in arguments.paths:
        if not path.exists():
            raise UsageError("there is no such file or directory", where=str(path))
    found = [each for path in arguments.paths for each in scan(path)]
    hits = [each for each in found if isinstance(each, Hit)]
    unsearched = [each for each in found if isinstance(each, Unsearched)]
    if arguments.json:
        console.out(_document(hits, unsearched))
    else:
        lines = [f"{hit.file}: {hit.place} ({hit.rule})" for hit in hits]
        lines += [f"? {where}: not searched: {reason}" for where, reason in unsearched]
        lines.append(_summary(len(hits), len(unsearched)))
        console.out("\n".join(map(make_visible, lines)))
    if hits:
        return ExitStatus.SECRET
    return ExitStatus.INCONCLUSIVE if unsearched else ExitStatus.OK


def _summary(hits: int, unsearched: int) -> str:
    told = f"{hits} {'secret' if hits == 1 else 'secrets'}" if hits else "no secrets"
    return f"{told}, {unsearched} not searched" if unsearched else told


def _document(hits: list[Hit], unsearched: list[Unsearched]) -> str:
    document = {
        "schema_version": 1,
        "hits": [hit._asdict() for hit in hits],
        "not_searched": [found._asdict() for found in unsearched],
    }
    return json.dumps(document, indent=2)
