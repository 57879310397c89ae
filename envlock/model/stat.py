"""What a stat cache is keyed by and what it remembers."""

from __future__ import annotations

from typing import NamedTuple


class StatKey(NamedTuple):
    """What identifies unchanged content on a local file system.  Times in nanoseconds."""

    path: str
    dev: int
    ino: int
    size: int
    mtime_ns: int
    ctime_ns: int


class Hashes(NamedTuple):
    """Hex digests of a file's content; `md5` and `sha1` are empty when not asked for."""

    sha256: str
    md5: str = ""
    sha1: str = ""
