"""Verbs of the command line, each run by a module that is imported when the verb is used."""

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


def lazy(name: str, summary: str, *, options: str = "arguments") -> Command:
    """Return the verb that ``envlock.cli.NAME_cmd`` runs; its options are in `envlock.cli` too.

    Both modules are imported on first use.
    """
    word = name.replace("-", "_")

    def add_arguments(parser: argparse.ArgumentParser) -> None:
        getattr(import_module(f"envlock.cli.{options}"), word)(parser)

    def run(arguments: argparse.Namespace, console: Console) -> int:
        return int(import_module(f"envlock.cli.{word}_cmd").run(arguments, console))

    return Command(name, summary, add_arguments, run)
