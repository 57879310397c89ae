"""What a verb of the command line is."""

from __future__ import annotations

import argparse
from collections.abc import Callable
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
    description: str = ""
