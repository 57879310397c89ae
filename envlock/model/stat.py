"""The keys and values of the stat cache."""

from __future__ import annotations

from typing import NamedTuple, Self

_MD5_LENGTH = 32
RACY_NS = 2_000_000_000
"""A file can change again within the resolution of its timestamps: younger ones are not trusted."""


class StatKey(NamedTuple):
    """What identifies unchanged content on a local file system; times in nanoseconds."""

    path: str
    dev: int
    ino: int
    size: int
    mtime_ns: int
    ctime_ns: int


class Hashes(NamedTuple):
    """Hex digests of a file's content; `md5` and `sha1` are empty if not requested."""

    sha256: str
    md5: str = ""
    sha1: str = ""

    @classmethod
    def of(cls, sha256: str, second: str) -> Self:
        """Return SHA-256 with a second digest, MD5 or SHA-1 by its length, or an empty one."""
        return cls(sha256, second) if len(second) == _MD5_LENGTH else cls(sha256, sha1=second)

    def lacks(self, algorithm: str) -> bool:
        """True when the second digest `algorithm` is not known; an empty name asks for none."""
        return bool(algorithm) and not (self.md5 if algorithm == "md5" else self.sha1)
