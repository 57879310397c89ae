"""The seam of artifact sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from envlock.materialize.artifacts.artifact import Artifact


class ArtifactSource(Protocol):
    """Somewhere artifacts can be had from.

    A source only places files; whether their bytes are right is checked by who asked.
    """

    @property
    def name(self) -> str:
        """What to call it when it does not have something."""

    @property
    def is_local(self) -> bool:
        """True when it never uses the network."""

    def fetch(self, wanted: Sequence[Artifact], into: Path) -> Mapping[Artifact, Path]:
        """Return where each artifact it has can be read now; new files are placed in `into`.

        Artifacts it does not have are left out.  Raise SourceError only when the source as a
        whole cannot be asked.
        """
