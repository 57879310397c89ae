"""Digests of the files of a walk: from the stat cache, else computed while the walk goes on."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

from envlock.model.stat import Hashes, StatKey
from envlock.model.text import to_bytes
from envlock.model.tree import Entry
from envlock.targets.base import ScanPlan
from envlock.targets.folder import Folder
from envlock.targets.local.hash_pool import HashPool

_EMPTY = Hashes(
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "d41d8cd98f00b204e9800998ecf8427e",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
)


class FileDigests:
    """Finds the digests of the files in one walk."""

    def __init__(self, plan: ScanPlan, pool: HashPool) -> None:
        self._plan = plan
        self._pool = pool
        self._submitted: list[tuple[Folder, int, StatKey]] = []

    def find(self, folder: Folder, at: int, key: StatKey, second: str) -> Entry | None:
        """Return the file at a position with its digests, None when it must be read.

        Such a file is submitted to the pool, and yielded by `results`.
        """
        plan = self._plan
        hashes = _EMPTY if not key.size else plan.cache.get(key) if plan.cache else None
        if hashes is None or hashes.lacks(second):
            self._submitted.append((folder, at, key))
            self._pool.submit((to_bytes(key.path), second))
            return None
        plan.on_progress(1, key.size)
        return folder.entry_at(at, key.size, hashes)

    def results(self) -> Iterator[Entry]:
        """Yield the files that had to be read; one that cannot be read is a gap."""
        plan = self._plan
        for (folder, at, key), result in zip(self._submitted, self._pool.results(), strict=True):
            if isinstance(result, str):
                if result != os.strerror(errno.ENOENT):
                    plan.on_gap(key.path, result)
                continue
            sha256, second, size, mtime_ns, ctime_ns = result
            hashes = Hashes.of(sha256, second)
            if plan.cache is not None:
                plan.cache.put(StatKey(*key[:3], size, mtime_ns, ctime_ns), hashes)
            plan.on_progress(1, size)
            yield folder.entry_at(at, size, hashes)
