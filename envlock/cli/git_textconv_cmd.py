"""``envlock git-textconv``: a lock as lines that read well in ``git diff``."""

from __future__ import annotations

import argparse
from pathlib import Path

from envlock.cli.console import Console
from envlock.errors import ExitStatus, LockfileError

_DESCRIPTION = """\
Called by git, which passes a file and compares what is printed: one fact a line, each with the
record it belongs to. A file that is no lock is printed as it is. Set it up with

  git config diff.envlock.textconv "envlock git-textconv"
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the operand."""
    parser.description = _DESCRIPTION
    parser.add_argument("file", type=Path, metavar="FILE")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the lock; what is no lock is printed as well, so that git can show any version."""
    from envlock.lockfile.reader import parse_lock
    from envlock.model.text import escape

    try:
        raw = arguments.file.read_bytes()
    except OSError as error:
        raise LockfileError(
            f"cannot read it: {error.strerror}", where=str(arguments.file)
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
