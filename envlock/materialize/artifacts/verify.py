"""Whether a file is the artifact that a lock means: by its digest, where the lock states one."""

from __future__ import annotations

import hashlib
from pathlib import Path

from envlock.materialize.artifacts.artifact import Artifact


def is_locked_file(artifact: Artifact, path: Path) -> bool:
    """True when the file at `path` has one of the locked digests, or the lock states none.

    Without a digest, every file that is taken from it is still verified by its own.  Raise OSError.
    """
    return not artifact.proofs or any(
        digest_of(path, proof.partition(":")[0]) == proof for proof in artifact.proofs
    )


def digest_of(path: Path, algorithm: str) -> str:
    """Return the digest of a file as ``ALGORITHM:HEX``.  Raise OSError."""
    with path.open("rb") as stream:
        return f"{algorithm}:{hashlib.file_digest(stream, algorithm).hexdigest()}"


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex.  Raise OSError."""
    return digest_of(path, "sha256").partition(":")[2]
