"""The kinds of artifacts, one row each: what the kind declares, and where to get it from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from envlock.materialize.artifacts.artifact import (
    Artifact,
    ArtifactKind,
    OpenArtifact,
    Reference,
    Rooms,
    is_plain,
)
from envlock.materialize.artifacts.kinds import apk, conda, deb, gem, npm, pacman, rpm, wheel
from envlock.materialize.artifacts.sources import apk as apk_sources
from envlock.materialize.artifacts.sources import apt, pip
from envlock.materialize.artifacts.sources import conda as conda_sources
from envlock.materialize.artifacts.sources import gem as gem_sources
from envlock.materialize.artifacts.sources import npm as npm_sources
from envlock.materialize.artifacts.sources import pacman as pacman_sources
from envlock.materialize.artifacts.sources import rpm as rpm_sources
from envlock.materialize.artifacts.sources.base import ArtifactSource, SourceRequest
from envlock.model.lock import Lock


class KindRow(NamedTuple):
    """A kind of artifact, and the function that returns its sources in the order to try them."""

    kind: ArtifactKind
    sources: Callable[[SourceRequest], Sequence[ArtifactSource]]


ROWS: tuple[KindRow, ...] = (
    KindRow(deb.KIND, apt.sources),
    KindRow(wheel.KIND, pip.sources),
    KindRow(npm.KIND, npm_sources.sources),
    KindRow(rpm.KIND, rpm_sources.sources),
    KindRow(pacman.KIND, pacman_sources.sources),
    KindRow(apk.KIND, apk_sources.sources),
    KindRow(conda.KIND, conda_sources.sources),
    KindRow(gem.KIND, gem_sources.sources),
)

KINDS: Mapping[str, ArtifactKind] = {row.kind.scheme: row.kind for row in ROWS}
"""Scheme -> kind."""


def artifact_of(reference: Reference, lock: Lock) -> Artifact | None:
    """Return the artifact that a reference names, or None when the lock does not describe it.

    Its fields are safe in paths and in the arguments of programs: a lock may come from anyone, so
    a record with a name, version or file name that no published artifact can have is ignored.
    """
    kind = KINDS.get(reference.scheme)
    artifact = kind.describe(reference.name, lock) if kind else None
    if artifact is None or not all(is_plain(field) for field in artifact if field):
        return None
    return artifact


def open_artifact(artifact: Artifact, path: Path, rooms: Rooms) -> OpenArtifact:
    """Open the file of an artifact, with its members as they were installed.

    Raise SourceError when the file is damaged.
    """
    kind = KINDS[artifact.scheme]
    opened = kind.open(path, rooms)
    return opened if kind.placed is None else kind.placed(opened, artifact)
