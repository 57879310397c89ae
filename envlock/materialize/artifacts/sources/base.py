"""The seam of artifact sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from envlock.materialize.artifacts.artifact import Artifact
from envlock.model.lock import Lock


class ArtifactSource(Protocol):
    """Somewhere to get artifacts from.

    A source gives files; whoever asks it verifies their digests.
    """

    @property
    def name(self) -> str:
        """Return its name in messages."""

    @property
    def is_local(self) -> bool:
        """True when it never uses the network."""

    def fetch(self, wanted: Sequence[Artifact], into: Path) -> Mapping[Artifact, Path]:
        """Return the path of each artifact it has; new files are written to `into`.

        Artifacts it does not have are left out, those of other kinds too.  Raise SourceError only
        when the source as a whole fails.
        """


class SourceRequest(NamedTuple):
    """What the sources of one kind of artifact are set up from.

    `wanted` are the artifacts of that kind, `cache` is the store's cache directory, and `mirrors`
    are URLs from the settings.
    """

    lock: Lock
    wanted: Sequence[Artifact]
    cache: Path
    mirrors: Sequence[str] = ()
