"""How much the store holds."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from envlock.store.disk import storing
from envlock.store.objects import Store
from envlock.store.refs import ref_files


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStats:
    """Counts, and sizes in bytes of files as they lie on the disk (objects may be compressed)."""

    refs: int
    objects: int
    object_bytes: int
    cache_bytes: int
    quarantined: int


def stats(store: Store) -> StoreStats:
    """Return how much the store holds now.  Raise StoreError when it cannot be read."""
    with storing(store.root):
        sizes = [path.stat().st_size for sha256, path in store.objects() if sha256]
        return StoreStats(
            refs=sum(1 for _ in ref_files(store)),
            objects=len(sizes),
            object_bytes=sum(sizes),
            cache_bytes=_size(store.cache),
            quarantined=len(os.listdir(store.root / "quarantine")),
        )


def _size(directory: Path) -> int:
    return sum(
        os.lstat(os.path.join(parent, name)).st_size
        for parent, _, names in os.walk(directory)
        for name in names
    )
