"""Conda packages: in the caches of this machine, and from the channels that they came from.

Nothing is solved and no index is read: conda-meta states the URL of each archive, and what a
channel withdraws often stays there.

Sources: conda documentation, "Configuration" (pkgs_dirs), micromamba user guide.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from envlock.errors import SourceError
from envlock.materialize.artifacts.artifact import Artifact
from envlock.materialize.artifacts.kinds.conda import Conda
from envlock.materialize.artifacts.sources.base import (
    ArtifactSource,
    SourceRequest,
    Tell,
    UnreachableSourceError,
    own_place,
    tell_failures,
)
from envlock.materialize.artifacts.sources.directory import DirectorySource
from envlock.materialize.artifacts.sources.download import Downloads, host_of
from envlock.materialize.artifacts.verify import is_locked_file

_ROOTS = ("CONDA_PREFIX", "CONDA_PREFIX_1", "CONDA_ROOT", "MAMBA_ROOT_PREFIX")
"""Variables that name a directory with a cache in ``pkgs``."""
_HOMES = (
    ".conda/pkgs",
    ".mamba/pkgs",
    "micromamba/pkgs",
    "miniconda3/pkgs",
    "miniforge3/pkgs",
    "mambaforge/pkgs",
    "anaconda3/pkgs",
)
"""Where caches are below a home directory."""
_SYSTEM = ("/opt/conda/pkgs", "/opt/miniconda3/pkgs", "/opt/miniforge3/pkgs")


def sources(request: SourceRequest) -> Sequence[ArtifactSource]:  # noqa: ARG001
    """Return the caches of this machine: none where nothing is kept."""
    return caches(os.environ)


def caches(environ: Mapping[str, str]) -> list[ArtifactSource]:
    """Return the folders of archives that conda, mamba and their users keep."""
    named = [Path(part) for part in environ.get("CONDA_PKGS_DIRS", "").split(",") if part]
    named += [Path(environ[name]) / "pkgs" for name in _ROOTS if environ.get(name)]
    home = Path(environ.get("HOME") or "/")
    folders = dict.fromkeys((*named, *(home / each for each in _HOMES), *map(Path, _SYSTEM)))
    return [
        DirectorySource(name=str(path), path=path, by_content=False)
        for path in folders
        if path.is_dir()
    ]


def channels(request: SourceRequest, downloads: Downloads) -> Iterator[ArtifactSource]:
    """Yield the addresses of the archives themselves, then the mirrors of the settings."""
    yield CondaChannel(name="their channels", downloads=downloads)
    for mirror in request.mirrors:
        yield CondaChannel(name=mirror, downloads=downloads, mirror=mirror.rstrip("/"))


@dataclass(frozen=True, slots=True, kw_only=True)
class CondaChannel:
    """The address of each archive, or a mirror of one channel: ``MIRROR/SUBDIR/FILE``."""

    name: str
    downloads: Downloads
    mirror: str = ""
    is_local: bool = False

    def fetch(self, wanted: Sequence[Artifact], into: Path, tell: Tell) -> Mapping[Artifact, Path]:
        """Download archives into `into`; what fails is told.

        Raise SourceError when nothing was had and something failed, `UnreachableSourceError` when
        nothing answers.
        """
        found: dict[Artifact, Path] = {}
        failures: list[SourceError] = []
        dead: set[str] = set()
        for artifact in wanted:
            url = self._address(artifact)
            if not url or host_of(url) in dead:
                continue
            path = own_place(artifact, into)
            try:
                if self.downloads.file(url, path, partial(is_locked_file, artifact)):
                    found[artifact] = path
                else:
                    tell(f"{host_of(url)} has no {artifact}")
            except UnreachableSourceError as error:
                dead.add(host_of(url))
                failures.append(error)
            except SourceError as error:
                failures.append(error)
        tell_failures(failures, found, tell)
        return found

    def _address(self, artifact: Artifact) -> str:
        if not isinstance(artifact, Conda):
            return ""
        if not self.mirror:
            return artifact.address
        return f"{self.mirror}/{artifact.subdir}/{artifact.filename}"
