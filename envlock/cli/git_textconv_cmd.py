"""``envlock git-textconv``: print a lock as lines for ``git diff``."""

from __future__ import annotations

import argparse

from envlock.cli.console import Console
from envlock.errors import ExitStatus, LockfileError
from envlock.lockfile.reader import parse_lock, read_lock_file
from envlock.model.text import escape


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the lock; any other file is printed unchanged, so that git can show every version."""
    raw = read_lock_file(arguments.file)
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
