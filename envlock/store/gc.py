"""Garbage collection: delete the objects that no reference needs.

It deletes references that were not used for long (if asked to), marks the objects that the others
need, then deletes the rest.  The store is sound after each step, so it may be interrupted anywhere.
No other process may have the store open meanwhile.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from envlock.errors import StoreError
from envlock.store.disk import store_errors
from envlock.store.known import older
from envlock.store.objects import SOUND_NS, Store
from envlock.store.refs import Ref, delete_ref, needs, read_ref, ref_files, refs
from envlock.store.sent import unused_since


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
    were lost than everything is garbage.  What a capture that is forgotten now needed is garbage,
    and what was kept to compare the next push with; their references go with it.
    """
    with store.exclusively(), store_errors(store.root):
        limit = clock() - grace_seconds
        oldest = clock() - unused_seconds if unused_seconds is not None else None
        known, forgotten = older(store, limit)
        forgotten += unused_since(store, limit)
        unused = [path for path in ref_files(store) if oldest and _is_old(path, oldest)]
        gone = {ref.name for ref in forgotten} | {read_ref(path).name for path in unused}
        needed = _needed(store, [ref for ref in refs(store) if ref.name not in gone])
        found = [(sha256, path) for sha256, path in store.objects() if sha256]
        explained = {ref.name: _named(store, ref) for ref in forgotten}
        if not needed and not force:
            _require_explained(store, {sha256 for sha256, _ in found}, explained.values())
        for path in unused:
            path.unlink()
        unneeded = [(sha256, path) for sha256, path in found if sha256 not in needed]
        stale = [(sha256, path) for sha256, path in unneeded if _is_stale(path, limit)]
        young = {sha256 for sha256, _ in unneeded}.difference(sha256 for sha256, _ in stale)
        garbage = [path for _, path in stale]
        for name, objects in explained.items():
            if young.isdisjoint(objects):
                delete_ref(store, name)
        freed = sum(_remove(path) for path in (*known, *garbage))
        freed += sum(_remove(path) for path in _files(store.cache) if _is_stale(path, limit))
        freed += _remove(store.stat_cache)
        store.sweep()
        return GcResult(kept=len(found) - len(garbage), removed=len(garbage), freed_bytes=freed)


def _needed(store: Store, those: Iterable[Ref]) -> set[str]:
    """Return the objects that references need, or keep if they are there."""
    needed = set[str]()
    for ref in those:
        needed.update(*needs(store, ref))
    return needed


def _named(store: Store, ref: Ref) -> set[str]:
    """Return the objects that a reference needs, as far as its trees can be read."""
    try:
        return _needed(store, [ref])
    except StoreError:
        return set(ref.named)


def _require_explained(
    store: Store, found: Collection[str], explained: Iterable[Collection[str]]
) -> None:
    """Raise StoreError for an object that no forgotten capture needed: its reference is lost."""
    if set(found).difference(*explained):
        raise StoreError(
            "no reference needs any object: refusing to delete everything",
            where=str(store.root),
            hint="capture an environment first, or use --force",
        )


def _files(directory: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(directory):
        for name in names:
            yield Path(parent, name)


def _is_old(path: Path, limit: float) -> bool:
    return path.lstat().st_mtime <= limit


def _is_stale(path: Path, limit: float) -> bool:
    """True when an object or a layer was not needed since; their mtime says something else."""
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
