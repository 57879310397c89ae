"""``envlock merge-driver``: merge lockfiles by record, for git."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from envlock.cli.console import Console
from envlock.errors import ExitStatus, LockfileError, StoreError

if TYPE_CHECKING:
    from envlock.model.lock import Lock

_DESCRIPTION = """\
Called by git, which passes the three versions; the result replaces OURS. Set it up with

  git config merge.envlock.driver "envlock merge-driver %O %A %B"

Records changed on one side only are merged. What both sides changed otherwise stands between
conflict markers, each record by itself, and git is told of the conflict. A file that is no lock is
merged as text.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the operands."""
    parser.description = _DESCRIPTION
    for name in ("base", "ours", "theirs"):
        parser.add_argument(name, type=Path, metavar=name.upper())


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Merge; status 1 tells git that there is a conflict."""
    from envlock.lockfile.merge import merge_locks, render_merged
    from envlock.lockfile.writer import write_lock

    try:
        locks = [_read(path) for path in (arguments.base, arguments.ours, arguments.theirs)]
    except LockfileError as error:
        console.warn(f"merged as text: {error}")
        return _merge_as_text(arguments)
    merged = merge_locks(*locks)
    if not merged.conflicts:
        write_lock(arguments.ours, merged.lock)
        return ExitStatus.OK
    for conflict in merged.conflicts:
        console.warn(f"both sides changed {conflict.name}")
    try:
        arguments.ours.write_bytes(render_merged(merged))
    except OSError as error:
        raise StoreError(f"cannot write: {error.strerror}", where=str(arguments.ours)) from error
    return ExitStatus.DRIFT


def _read(path: Path) -> Lock:
    """Return a lock; an empty file is one without records: git's base of what both sides added."""
    from envlock.lockfile.reader import read_lock
    from envlock.model.lock import Lock

    try:
        if not path.stat().st_size:
            return Lock(sections={})
    except OSError as error:
        raise LockfileError(f"cannot read it: {error.strerror}", where=str(path)) from error
    return read_lock(path)


def _merge_as_text(arguments: argparse.Namespace) -> int:
    import subprocess

    labels = ("-L", "ours", "-L", "base", "-L", "theirs")
    files = (arguments.ours, arguments.base, arguments.theirs)
    done = subprocess.run(["git", "merge-file", *labels, "--", *files], check=False)
    return ExitStatus.OK if done.returncode == 0 else ExitStatus.DRIFT
