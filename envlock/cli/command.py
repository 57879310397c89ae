"""Verbs of the command line, each in a module that is imported when the verb is used."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple

from envlock.cli.console import Console


class Command(NamedTuple):
    """One verb: its name, a line of help, its arguments, and the function that runs it.

    `run` returns the exit status.  It raises EnvlockError when something goes wrong.
    """

    name: str
    summary: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, Console], int]


def lazy(name: str, summary: str) -> Command:
    """Return the verb implemented by ``envlock.cli.NAME_cmd``, which is imported on first use."""
    module = f"envlock.cli.{name.replace('-', '_')}_cmd"

    def add_arguments(parser: argparse.ArgumentParser) -> None:
        import_module(module).add_arguments(parser)

    def run(arguments: argparse.Namespace, console: Console) -> int:
        return int(import_module(module).run(arguments, console))

    return Command(name, summary, add_arguments, run)
