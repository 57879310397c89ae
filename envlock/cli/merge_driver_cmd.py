"""``envlock merge-driver``: merge lockfiles by record, for git."""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

from envlock.cli.console import Console
from envlock.cli.messages import Message
from envlock.errors import ExitStatus, LockfileError, StoreError
from envlock.lockfile.merge import merge_locks, render_merged
from envlock.lockfile.reader import parse_lock, read_lock_file
from envlock.lockfile.writer import write_lock
from envlock.model.lock import Lock
from envlock.writing import write_output


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Merge; status 1 reports a conflict to git."""
    try:
        locks = [_read(path) for path in (arguments.base, arguments.ours, arguments.theirs)]
    except LockfileError as error:
        console.say(Message.MERGED_AS_TEXT, error=error)
        return _merge_as_text(arguments)
    merged = merge_locks(*locks)
    if not merged.conflicts:
        write_lock(arguments.ours, merged.lock)
        return ExitStatus.OK
    for conflict in merged.conflicts:
        console.say(Message.MERGE_CONFLICT, record=conflict.name)
    try:
        write_output(arguments.ours, render_merged(merged))
    except OSError as error:
        raise StoreError(
            f"cannot write the merged lock: {error.strerror}", where=str(arguments.ours)
        ) from error
    return ExitStatus.DRIFT


def _read(path: Path) -> Lock:
    """Read a lock.  An empty file is an empty lock: git's base of a file that both sides added."""
    raw = read_lock_file(path)
    return parse_lock(raw, where=str(path)) if raw else Lock(sections={})


def _merge_as_text(arguments: argparse.Namespace) -> int:
    labels = ("-L", "ours", "-L", "base", "-L", "theirs")
    files = (arguments.ours, arguments.base, arguments.theirs)
    done = subprocess.run(["git", "merge-file", *labels, "--", *files], check=False)
    return ExitStatus.OK if done.returncode == 0 else ExitStatus.DRIFT
