"""``envlock git-textconv``: print a lock as lines for ``git diff``."""

from __future__ import annotations

import argparse

from envlock.cli.console import Console
from envlock.errors import ExitStatus, LockfileError
from envlock.lockfile.reader import parse_lock, read_lock_file
from envlock.model.text import escape, make_visible
from envlock.report.lock_disclosure import disclosed_lock


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the lock; any other file is printed unchanged, so that git can show every version."""
    raw = read_lock_file(arguments.file)
    try:
        lock = parse_lock(raw, where=str(arguments.file))
    except LockfileError:
        console.out(make_visible(raw.decode(errors="replace"), keep="\n\r\t"))
        return ExitStatus.OK
    lock = disclosed_lock(lock)
    records = [(section, key, facts) for section, key, facts in lock.records()]
    records += [("coverage", key, facts) for key, facts in lock.coverage.items()]
    lines = (
        make_visible(f"{' '.join(filter(None, (section, escape(key))))} {fact}: {escape(value)}")
        for section, key, facts in records
        for fact, value in facts.items()
    )
    console.out("".join(f"{line}\n" for line in lines))
    return ExitStatus.OK
