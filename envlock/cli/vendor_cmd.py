"""``envlock vendor``: keep the packages of a lock where a rebuild will find them."""

from __future__ import annotations

import argparse
import json

from envlock.cli.configuration import read_config
from envlock.cli.console import Console
from envlock.cli.fetching import bring_content
from envlock.cli.operands import open_store, read_lock_operand
from envlock.cli.vendoring import keep_packages
from envlock.errors import ExitStatus


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Keep the packages, and say which of them cannot be had."""
    config = read_config(arguments, console)
    lock = read_lock_operand(arguments.lock, config)
    with open_store(config) as store:
        bring_content(arguments.lock, lock, config, store, console)
        done = keep_packages(
            lock,
            config,
            store,
            console,
            to=arguments.to,
            offline=arguments.offline,
            is_confirmed=arguments.yes,
        )
    if arguments.json:
        document = {
            "schema_version": 1,
            "place": done.place,
            "packages": done.kept.packages,
            "new": done.kept.new,
            "bytes": done.kept.size,
            "missing": sorted(map(str, done.gathered.missing)),
        }
        console.out(json.dumps(document, indent=2))
    else:
        console.out(done.place)
    done.gathered.require_all(f"{done.place} is not complete")
    return ExitStatus.OK
