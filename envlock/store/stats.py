"""The size of the store."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from envlock.store.disk import store_errors
from envlock.store.objects import Store
from envlock.store.refs import ref_files


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStats:
    """Counts, and sizes in bytes of the files on the disk (objects may be compressed).

    `caches` are the sizes of files that can be recreated: ``captures`` are the snapshots that
    incremental captures start from, ``digests`` is the stat cache, the others are subdirectories
    of the cache.
    """

    refs: int
    objects: int
    object_bytes: int
    caches: Mapping[str, int]
    quarantined: int


def stats(store: Store) -> StoreStats:
    """Measure the store.  Raise StoreError when it cannot be read."""
    with store_errors(store.root):
        sizes = [path.stat().st_size for sha256, path in store.objects() if sha256]
        return StoreStats(
            refs=sum(1 for _ in ref_files(store)),
            objects=len(sizes),
            object_bytes=sum(sizes),
            caches=_caches(store),
            quarantined=len(os.listdir(store.root / "quarantine")),
        )


def _caches(store: Store) -> dict[str, int]:
    sizes = {"captures": 0, "digests": 0}
    for path in store.root.glob(f"{store.stat_cache.name}*"):
        sizes["digests"] += path.lstat().st_size
    for path in sorted(store.cache.iterdir()):
        if path.is_dir():
            sizes[path.name] = _size(path)
        else:
            sizes["captures"] += path.lstat().st_size
    return {name: size for name, size in sizes.items() if size}


def _size(directory: Path) -> int:
    return sum(
        os.lstat(os.path.join(parent, name)).st_size
        for parent, _, names in os.walk(directory)
        for name in names
    )
