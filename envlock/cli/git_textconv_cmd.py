"""``envlock git-textconv``: print a lock as lines for ``git diff``."""

from __future__ import annotations

import argparse
from pathlib import Path

from envlock.cli.console import Console
from envlock.errors import ExitStatus, LockfileError
from envlock.lockfile.reader import parse_lock
from envlock.model.text import escape

_DESCRIPTION = """\
Called by git, which passes a file and compares the output: one fact a line, each with the record it
belongs to. A file that is not a lock is printed unchanged. Set it up with

  git config diff.envlock.textconv "envlock git-textconv"
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the operand."""
    parser.description = _DESCRIPTION
    parser.add_argument("file", type=Path, metavar="FILE", help="the lock, which git passes")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the lock; any other file is printed unchanged, so that git can show every version."""
    try:
        raw = arguments.file.read_bytes()
    except OSError as error:
        raise LockfileError(
            f"cannot read the lockfile: {error.strerror}", where=str(arguments.file)
        ) from error
    try:
        lock = parse_lock(raw, where=str(arguments.file))
    except LockfileError:
        console.out(raw.decode(errors="replace"))
        return ExitStatus.OK
    records = [(section, key, facts) for section, key, facts in lock.records()]
    records += [("coverage", key, facts) for key, facts in lock.coverage.items()]
    lines = (
        f"{' '.join(filter(None, (section, escape(key))))} {fact}: {escape(value)}\n"
        for section, key, facts in records
        for fact, value in facts.items()
    )
    console.out("".join(lines))
    return ExitStatus.OK
