"""Artifacts that were fetched before, in the cache of the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from envlock.materialize.artifacts.artifact import Artifact
from envlock.materialize.artifacts.sources.base import Tell
from envlock.materialize.artifacts.sources.directory import find_files
from envlock.materialize.artifacts.verify import is_locked_file

_DIGITS = 16


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
        found = dict(find_files(wanted, self.path))
        for artifact in wanted:
            for proof in artifact.proofs:
                own = self.path / own_name(artifact.filename, proof.partition(":")[2])
                if own.is_file():
                    found[artifact] = own
        return {a: path for a, path in found.items() if is_locked_file(a, path)}


def own_name(name: str, digest: str) -> str:
    """Return a file name that no other file called `name` has, by its digest in hex."""
    return f"{digest[:_DIGITS]}-{name}"


def keep(artifact: Artifact, path: Path, cache: Path) -> Path:
    """Move a verified file into the cache; return where it is.  Raise OSError.

    Two distributions publish other files under one name: the second one gets its digest as well.
    """
    there = cache / artifact.filename
    if artifact.proofs and there.is_file() and not is_locked_file(artifact, there):
        there = cache / own_name(artifact.filename, artifact.proofs[0].partition(":")[2])
    return path.replace(there)
