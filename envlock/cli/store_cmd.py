"""``envlock store``: look after the store."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from envlock.cli.command import Command
from envlock.cli.console import Console
from envlock.cli.operands import open_store
from envlock.cli.options import add_json, read_config
from envlock.errors import ExitStatus

if TYPE_CHECKING:
    from envlock.store.objects import Store

_GRACE_SECONDS = 3600


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("action", choices=("check", "gc", "stats"))
    parser.add_argument(
        "--read-data", action="store_true", help="check: read every object and hash it again"
    )
    parser.add_argument(
        "--grace",
        type=int,
        default=_GRACE_SECONDS,
        metavar="SECONDS",
        help="gc: keep what is younger (3600)",
    )
    parser.add_argument(
        "--force", action="store_true", help="gc: go on although no lock refers to anything"
    )
    add_json(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Do one of the three."""
    with open_store(read_config(arguments)) as store:
        match arguments.action:
            case "check":
                return _check(arguments, console, store)
            case "gc":
                return _gc(arguments, console, store)
            case _:
                return _stats(arguments, console, store)


COMMAND = Command("store", "check, clean or measure the store", add_arguments, run)
