"""Whether a file is the artifact that a lock means: by its digest, where the lock states one."""

from __future__ import annotations

import hashlib
from pathlib import Path

from envlock.materialize.artifacts.artifact import Artifact


def is_locked_file(artifact: Artifact, path: Path) -> bool:
    """True when the file at `path` has the locked digest, or the lock states none.

    Without a digest, every file that is taken from it is still verified by its own.  Raise OSError.
    """
    return not artifact.sha256 or sha256_of(path) == artifact.sha256


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex.  Raise OSError."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
