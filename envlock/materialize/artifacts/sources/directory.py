"""Artifacts in a directory, under their own file names: envlock's cache, apt's, the user's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from envlock.materialize.artifacts.artifact import Artifact


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectorySource:
    """A directory of package files of any kind."""

    name: str
    path: Path
    is_local: bool = True

    def fetch(self, wanted: Sequence[Artifact], into: Path) -> Mapping[Artifact, Path]:  # noqa: ARG002
        """Return the artifacts in the directory; nothing is copied."""
        return find_files(wanted, self.path)


def find_files(wanted: Sequence[Artifact], directory: Path) -> dict[Artifact, Path]:
    """Return the path of each of `wanted` that is in `directory`, an exact name first."""
    found = {a: path for a in wanted if (path := directory / a.filename).is_file()}
    rest = [artifact for artifact in wanted if artifact not in found and artifact.other_names]
    for pattern in sorted({artifact.other_names for artifact in rest}):
        for path in sorted(filter(Path.is_file, directory.glob(pattern))):
            found.update({artifact: path for artifact in rest if artifact.is_named(path.name)})
    return found
