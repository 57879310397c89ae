"""Artifacts that were fetched before, in the cache of the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from envlock.materialize.artifacts.artifact import Artifact
from envlock.materialize.artifacts.names import Folder, own_name
from envlock.materialize.artifacts.sources.base import Tell
from envlock.materialize.artifacts.verify import is_locked_file, sha256_of


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSource:
    """The cache of the store."""

    path: Path
    name: str = "envlock's cache"
    is_local: bool = True

    def fetch(
        self,
        wanted: Sequence[Artifact],
        into: Path,  # noqa: ARG002
        tell: Tell,  # noqa: ARG002
    ) -> Mapping[Artifact, Path]:
        """Return the artifacts in it; what is there of another environment is passed over."""
        folder = Folder(self.path)
        found = {artifact: folder.locked(artifact, lambda _line: None) for artifact in wanted}
        return {artifact: path for artifact, path in found.items() if path is not None}


def keep(artifact: Artifact, path: Path, cache: Path) -> Path:
    """Move a verified file into the cache; return where it is.  Raise OSError.

    Two distributions publish other files under one name: the second one gets its digest as well.
    """
    there = cache / artifact.filename
    if there.is_file() and not (artifact.proofs and is_locked_file(artifact, there)):
        there = cache / own_name(artifact.filename, sha256_of(path))
    return path.replace(there)
