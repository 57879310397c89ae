"""Whether a file is the artifact that a lock means: by its digest, where the lock states one."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable
from pathlib import Path

from envlock.formats.rpm.package_file import PackageDigest
from envlock.materialize.artifacts.artifact import Artifact
from envlock.materialize.artifacts.package_digest import DIGESTS

_SETTLED_NS = 2_000_000_000
"""A file that changed later than this before it was read may change again with the same times."""
_MOST_DIGESTS = 100_000
_PIECE = 1 << 20

_digests: dict[tuple[str, int, int, int], tuple[tuple[int, int], str]] = {}
"""Algorithm, device, inode and size -> times and digest of what was read."""


def is_locked_file(artifact: Artifact, path: Path) -> bool:
    """True when the file at `path` has one of the locked digests, or the lock states none.

    Without a digest, every file that is taken from it is still verified by its own.  Raise OSError.
    """
    return not artifact.proofs or any(
        digest_of(path, proof.partition(":")[0]) == proof for proof in artifact.proofs
    )


def is_locked_content(artifact: Artifact, pieces: Iterable[bytes]) -> bool:
    """True when pieces of a file together have one of the digests that the lock states."""
    names = {proof.partition(":")[0] for proof in artifact.proofs}
    if len(names) == 1:
        return _digest(names.pop(), pieces) in artifact.proofs
    digests = [_new(name) for name in names]
    for piece in pieces:
        for digest in digests:
            digest.update(piece)
    return any(f"{digest.name}:{digest.hexdigest()}" in artifact.proofs for digest in digests)


def digest_of(path: Path, algorithm: str) -> str:
    """Return the digest of a file as ``ALGORITHM:HEX``.  Raise OSError.

    A file that did not change since is not read again.
    """
    with path.open("rb") as stream:
        state = os.fstat(stream.fileno())
        key = (algorithm, state.st_dev, state.st_ino, state.st_size)
        times = (state.st_mtime_ns, state.st_ctime_ns)
        known = _digests.get(key)
        if known is not None and known[0] == times:
            return known[1]
        found = _digest(algorithm, iter(lambda: stream.read(_PIECE), b""))
    if time.time_ns() - max(times) > _SETTLED_NS:
        if len(_digests) >= _MOST_DIGESTS:
            _digests.clear()
        _digests[key] = (times, found)
    return found


def _digest(algorithm: str, pieces: Iterable[bytes]) -> str:
    """Return the digest of the pieces of a file as ``ALGORITHM:HEX``."""
    if algorithm in DIGESTS:
        return f"{algorithm}:{DIGESTS[algorithm](pieces)}"
    digest = _new(algorithm)
    for piece in pieces:
        digest.update(piece)
    return f"{algorithm}:{digest.hexdigest()}"


def _new(algorithm: str) -> hashlib._Hash | PackageDigest:
    """Return what computes a digest: one of `hashlib`, or that of the header of rpm packages."""
    return PackageDigest() if algorithm == PackageDigest.name else hashlib.new(algorithm)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex.  Raise OSError."""
    return digest_of(path, "sha256").partition(":")[2]
