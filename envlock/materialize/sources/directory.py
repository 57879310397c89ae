"""Artifacts lying in a directory under their own names: envlock's cache, apt's, wheels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from envlock.materialize.artifact import Artifact


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectorySource:
    """A directory of package files."""

    name: str
    path: Path
    is_local: bool = True

    def fetch(self, wanted: Sequence[Artifact], into: Path) -> Mapping[Artifact, Path]:  # noqa: ARG002
        """Return the artifacts that lie here; nothing is copied."""
        return {a: path for a in wanted if (path := self.path / a.filename).is_file()}
