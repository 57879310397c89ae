"""Locks that tests of the command line write where it looks for names."""

from __future__ import annotations

from pathlib import Path

from envlock.lockfile.writer import render_lock
from envlock.model.lock import Lock


def write(here: Path, **locks: Lock) -> None:
    """Write locks by name into a project."""
    for name, lock in locks.items():
        (here / "locks" / f"{name}.lock").write_bytes(render_lock(lock))
