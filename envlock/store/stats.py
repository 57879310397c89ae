"""How much the store holds."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from envlock.store.disk import storing
from envlock.store.objects import Store
from envlock.store.refs import ref_files


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStats:
    """Counts, and sizes in bytes of files as they lie on the disk (objects may be compressed).

    `caches` are sizes of what can be made again: ``captures`` is what captures of machines leave
    for the next, ``digests`` the stat cache, the others are folders of the cache.
    """

    refs: int
    objects: int
    object_bytes: int
    caches: Mapping[str, int]
    quarantined: int


def stats(store: Store) -> StoreStats:
    """Return how much the store holds now.  Raise StoreError when it cannot be read."""
    with storing(store.root):
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
