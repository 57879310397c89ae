"""``envlock merge-driver``: merge lockfiles by record, for git."""

from __future__ import annotations

import argparse
from pathlib import Path

from envlock.cli.console import Console
from envlock.errors import ExitStatus

_DESCRIPTION = """\
Called by git, which passes the three versions; the result replaces OURS. Set it up with

  git config merge.envlock.driver "envlock merge-driver %O %A %B"

Records changed on one side only are merged; git is told of a conflict when both sides changed the
same one, and OURS is left as git wrote it.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the operands."""
    parser.description = _DESCRIPTION
    for name in ("base", "ours", "theirs"):
        parser.add_argument(name, type=Path, metavar=name.upper())


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Merge; status 1 tells git that there is a conflict."""
    from envlock.lockfile.merge import merge_locks
    from envlock.lockfile.reader import read_lock
    from envlock.lockfile.writer import write_lock

    paths = (arguments.base, arguments.ours, arguments.theirs)
    merged = merge_locks(*(read_lock(path) for path in paths))
    for conflict in merged.conflicts:
        console.warn(f"both sides changed {conflict}")
    if merged.conflicts:
        return ExitStatus.DRIFT
    write_lock(arguments.ours, merged.lock)
    return ExitStatus.OK
