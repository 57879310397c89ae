"""Artifacts lying in a directory under their own names: envlock's cache, apt's, wheels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from envlock.materialize.artifacts.artifact import Artifact, Wheel


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectorySource:
    """A directory of package files."""

    name: str
    path: Path
    is_local: bool = True

    def fetch(self, wanted: Sequence[Artifact], into: Path) -> Mapping[Artifact, Path]:  # noqa: ARG002
        """Return the artifacts that lie here; nothing is copied."""
        return find_files(wanted, self.path)


def find_files(wanted: Sequence[Artifact], folder: Path) -> dict[Artifact, Path]:
    """Return those of `wanted` whose files lie in `folder`."""
    found = {a: path for a in wanted if (path := folder / a.filename).is_file()}
    wheels = [a for a in wanted if isinstance(a, Wheel) and a not in found]
    for path in sorted(folder.glob("*.whl")) if wheels else ():
        found.update({wheel: path for wheel in wheels if wheel.is_named(path.name)})
    return found
