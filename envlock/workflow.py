"""The main job, in the order a reader meets it: capture -> lock -> diff -> materialize -> verify.

Each function names the steps; the wings do the work.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from envlock.capture.engine import Capture, Request, capture
from envlock.capture.registry import collectors
from envlock.errors import InconclusiveError, MaterializeError, StoreError
from envlock.materialize.assemble import Assembled, Order, assemble
from envlock.model.lock import Lock
from envlock.model.tree import Tree
from envlock.store.objects import Store
from envlock.store.refs import set_ref
from envlock.store.statcache import StatCache
from envlock.target.resolve import open_target

Progress = Callable[[str, int, int], None]

_SHA256 = "sha256:"


class Environment(NamedTuple):
    """A lock with a name for people and, when it was just captured, its file tree."""

    name: str
    lock: Lock
    tree: Tree | None = None


def capture_target(
    reference: str, request: Request, store: Store, progress: Progress, *, keep: bool = False
) -> Capture:
    """Capture a target; with `keep`, what a rebuild needs stays in the store for good."""
    with (
        closing(open_target(reference)) as target,
        StatCache(store.stat_cache, target.reference) as cache,
    ):
        captured = capture(
            target, collectors(), request, store=store, cache=cache, progress=progress
        )
    if keep and captured.tree is not None:
        blobs = {row.source[5:] for row in captured.tree.rows if row.source.startswith("blob ")}
        address = tree_address(captured.lock)
        set_ref(store, f"tree {address}", {address, *blobs})
    return captured


def tree_address(lock: Lock) -> str:
    """Return the hex digest by which the store knows the file tree of `lock`, or nothing."""
    return lock.get("tree").get("object", "").removeprefix(_SHA256)


def load_tree(lock: Lock, store: Store) -> Tree | None:
    """Return the file tree of `lock`, or None when this store does not hold it."""
    address = tree_address(lock)
    if not address or not store.has(address):
        return None
    try:
        return Tree.from_bytes(store.read(address))
    except ValueError as error:
        raise StoreError(str(error), where=f"{_SHA256}{address}") from error


def require_tree(lock: Lock, store: Store) -> Tree:
    """Return the file tree of `lock`.  Raise MaterializeError saying why there is none."""
    tree = load_tree(lock, store)
    if tree is not None:
        return tree
    if tree_address(lock):
        raise MaterializeError(
            "the file tree of this lock is not in this store",
            where=f"{_SHA256}{tree_address(lock)}",
            hint="materialize where it was captured, or copy that store",
        )
    raise MaterializeError(
        "the lock has no file tree to rebuild from", hint="capture a host with --deep"
    )


def materialize(
    lock: Lock, lockfile: bytes, store: Store, order: Order, progress: Progress
) -> Assembled:
    """Rebuild a lock into the OCI layout that `order` names."""
    return assemble(lock, lockfile, require_tree(lock, store), store, order, progress)
