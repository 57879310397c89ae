"""The verbs of the command line, each in a module that is imported only when it is used."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple

from envlock.cli.console import Console


class Command(NamedTuple):
    """One verb: its name, a line of help, its arguments, and what it does.

    `run` returns the exit status and raises EnvlockError for anything that went wrong.
    """

    name: str
    summary: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, Console], int]


def lazy(name: str, summary: str) -> Command:
    """Return the verb of ``envlock.cli.NAME_cmd`` without importing it."""
    module = f"envlock.cli.{name.replace('-', '_')}_cmd"

    def add_arguments(parser: argparse.ArgumentParser) -> None:
        import_module(module).add_arguments(parser)

    def run(arguments: argparse.Namespace, console: Console) -> int:
        return int(import_module(module).run(arguments, console))

    return Command(name, summary, add_arguments, run)
