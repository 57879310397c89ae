"""Machines that a lock travels between, for tests."""

from __future__ import annotations

from envlock.lockfile.reader import parse_lock
from envlock.model.tree import EntryType
from envlock.store.objects import Store
from envlock.workflow import require_tree
from tests.conftest import Cli


def built(envlock: Cli, lock: str) -> str:
    """Rebuild a lock without a network; return the digest of the image."""
    return envlock("materialize", lock, "-o", "image", "-q", "--offline").out.strip()


def by_value(envlock: Cli, scheme: str) -> list[str]:
    """Return the paths of the lock `prod` that no package of a kind has, empty files left out."""
    lock = parse_lock((envlock.folder / "locks/prod.lock").read_bytes(), "prod")
    store = Store.open(envlock.folder.parent / "data/envlock")
    try:
        tree = require_tree(lock, store)
    finally:
        store.close()
    rows = (row for row in tree.rows if row.entry.type is EntryType.FILE and row.entry.size)
    return [row.entry.path for row in rows if not row.source.startswith(f"{scheme} ")]
