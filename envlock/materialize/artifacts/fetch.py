"""Fetch artifacts: ask each source in turn, and verify each file against its locked digest."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from envlock.errors import SourceError
from envlock.materialize.artifacts.artifact import Artifact
from envlock.materialize.artifacts.sources.base import ArtifactSource


class Fetched(NamedTuple):
    """The path of each artifact found, the number downloaded, and the artifacts no source has.

    `complaints` are messages about sources that failed or had another file than the locked one.
    """

    paths: Mapping[Artifact, Path]
    downloaded: int
    missing: tuple[Artifact, ...]
    complaints: tuple[str, ...]


def fetch(
    wanted: Sequence[Artifact], sources: Sequence[ArtifactSource], cache: Path, *, offline: bool
) -> Fetched:
    """Find every artifact, asking `sources` in order; new files are moved into `cache`.

    A file whose digest is not the locked one does not count, so the next source is asked.  With
    `offline` only local sources are asked.
    """
    paths: dict[Artifact, Path] = {}
    complaints: list[str] = []
    downloaded = 0
    cache.mkdir(parents=True, exist_ok=True)
    for source in sources:
        missing = [artifact for artifact in wanted if artifact not in paths]
        if not missing:
            break
        if offline and not source.is_local:
            continue
        with tempfile.TemporaryDirectory(dir=cache, prefix=".fetch-") as into:
            try:
                found = source.fetch(missing, Path(into))
            except SourceError as error:
                complaints.append(f"{source.name}: {error.message}")
                continue
            for artifact, path in found.items():
                if artifact.sha256 and _sha256(path) != artifact.sha256:
                    complaints.append(f"{source.name}: {artifact} is not the locked file")
                    continue
                if path.is_relative_to(into):
                    path = path.replace(cache / artifact.filename)  # noqa: PLW2901
                    downloaded += 1
                paths[artifact] = path
    missing_at_last = tuple(artifact for artifact in wanted if artifact not in paths)
    return Fetched(paths, downloaded, missing_at_last, tuple(complaints))


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
