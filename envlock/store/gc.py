"""Garbage collection: delete the objects that no reference needs.

It deletes references that were not used for long (if asked to), marks the objects that the others
need, then deletes the rest.  The store is sound after each step, so it may be interrupted anywhere.
No other process may have the store open meanwhile.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from envlock.errors import StoreError
from envlock.store.disk import store_errors
from envlock.store.known import forget_older
from envlock.store.objects import SOUND_NS, Store
from envlock.store.refs import needs, ref_files, refs


@dataclass(frozen=True, slots=True, kw_only=True)
class GcResult:
    """The number of objects kept and removed, and the bytes freed, including the cache."""

    kept: int
    removed: int
    freed_bytes: int


def collect_garbage(
    store: Store,
    grace_seconds: float,
    *,
    force: bool = False,
    unused_seconds: float | None = None,
    clock: Callable[[], float] = time.time,
) -> GcResult:
    """Delete unneeded objects and files of the cache that are older than `grace_seconds`.

    With `unused_seconds`, references that were neither written nor used for that long are deleted
    first.  The stat cache is always deleted.  `clock` returns seconds since 1970.  Raise StoreError
    when another process has the store open, when a reference or one of its tree objects cannot be
    read, and, unless `force`, when there are objects but no reference: more likely the references
    were lost than everything is garbage.
    """
    with store.exclusively(), store_errors(store.root):
        if unused_seconds is not None:
            oldest = clock() - unused_seconds
            for path in filter(lambda path: _is_old(path, oldest), list(ref_files(store))):
                path.unlink()
        limit = clock() - grace_seconds
        freed, forgotten = forget_older(store, limit)
        needed = set[str]()
        for ref in refs(store):
            needed.update(*needs(store, ref))
        found = [(sha256, path) for sha256, path in store.objects() if sha256]
        if found and not needed and not forgotten and not force:
            raise StoreError(
                "no reference needs any object: refusing to delete everything",
                where=str(store.root),
                hint="capture an environment first, or use --force",
            )
        garbage = [
            path for sha256, path in found if sha256 not in needed and _is_stale(path, limit)
        ]
        freed += sum(_remove(path) for path in garbage)
        freed += sum(_remove(path) for path in _files(store.cache) if _is_old(path, limit))
        freed += _remove(store.stat_cache)
        store.sweep()
        return GcResult(kept=len(found) - len(garbage), removed=len(garbage), freed_bytes=freed)


def _files(directory: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(directory):
        for name in names:
            yield Path(parent, name)


def _is_old(path: Path, limit: float) -> bool:
    return path.lstat().st_mtime <= limit


def _is_stale(path: Path, limit: float) -> bool:
    """True when an object was not needed since; the mtime of most says something else."""
    found = path.lstat()
    return (found.st_ctime if found.st_mtime_ns == SOUND_NS else found.st_mtime) <= limit


def _remove(path: Path) -> int:
    """Delete a file; return its size in bytes, 0 when it does not exist."""
    try:
        size = path.lstat().st_size
        path.unlink()
    except FileNotFoundError:
        return 0
    return size
