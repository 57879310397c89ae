"""The digest of one file of this machine that the capture did not hash, through the stat cache."""

from __future__ import annotations

import hashlib
import os
from io import BufferedReader
from typing import BinaryIO

from envlock.model.stat import Hashes, StatKey
from envlock.targets.base import HashCache


def digest_on_demand(path: str, stream: BinaryIO, cache: HashCache | None) -> str:
    """Return the SHA-256 of an open file as hex; empty when it changes meanwhile.

    `path` is its path in the target, by which the cache knows it.  Raise OSError when it cannot be
    read.
    """
    if not isinstance(stream, BufferedReader):
        return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
    key = _key(path, stream)
    known = cache.get(key) if cache is not None else None
    if known is not None:
        return known.sha256
    sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    if _key(path, stream) != key:
        return ""
    if cache is not None:
        cache.put(key, Hashes(sha256))
    return sha256


def _key(path: str, stream: BufferedReader) -> StatKey:
    told = os.fstat(stream.fileno())
    return StatKey(path, told.st_dev, told.st_ino, told.st_size, told.st_mtime_ns, told.st_ctime_ns)
