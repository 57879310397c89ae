"""Gems: in the caches of this machine, and from the servers that the captured system names.

The address of a gem follows from its name, so that no index is read.

Sources: RubyGems, ``Gem::Source`` and "Command reference" (gem fetch); Bundler, "Caching".
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from envlock.errors import SourceError
from envlock.materialize.artifacts.artifact import Artifact
from envlock.materialize.artifacts.kinds.gem import Gem
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

_IN_HOMES = (
    ".gem/ruby/*/cache",
    ".local/share/gem/ruby/*/cache",
    ".bundle/cache/gems/*",
    ".rbenv/versions/*/lib/ruby/gems/*/cache",
    ".rubies/*/lib/ruby/gems/*/cache",
)
"""Where caches are below a home directory."""
_IN_SYSTEM = (
    "var/lib/gems/*/cache",
    "usr/lib/ruby/gems/*/cache",
    "usr/local/lib/ruby/gems/*/cache",
    "usr/local/bundle/cache",
)


def sources(request: SourceRequest) -> Sequence[ArtifactSource]:  # noqa: ARG001
    """Return the caches of this machine: none where nothing is kept."""
    return caches(Path("/"), os.environ)


def caches(root: Path, environ: Mapping[str, str]) -> list[ArtifactSource]:
    """Return the folders of package files that RubyGems and Bundler keep."""
    named = [Path(environ["GEM_HOME"]) / "cache"] if environ.get("GEM_HOME") else []
    home = Path(environ.get("HOME") or "/")
    below = [path for glob in _IN_HOMES for path in sorted(home.glob(glob))]
    below += [path for glob in _IN_SYSTEM for path in sorted(root.glob(glob))]
    return [
        DirectorySource(name=str(path), path=path, by_content=False)
        for path in dict.fromkeys((*named, *below))
        if path.is_dir()
    ]


def servers(request: SourceRequest, downloads: Downloads) -> Iterator[ArtifactSource]:
    """Yield the servers that the captured system names, then the mirrors of the settings."""
    yield GemServer(name="their gem servers", downloads=downloads)
    for mirror in request.mirrors:
        yield GemServer(name=mirror, downloads=downloads, mirror=mirror.rstrip("/"))


@dataclass(frozen=True, slots=True, kw_only=True)
class GemServer:
    """The servers of each gem, or one mirror: ``SERVER/gems/FILE``."""

    name: str
    downloads: Downloads
    mirror: str = ""
    is_local: bool = False

    def fetch(self, wanted: Sequence[Artifact], into: Path, tell: Tell) -> Mapping[Artifact, Path]:
        """Download gems into `into`; what fails is told.

        Raise SourceError when nothing was had and something failed, `UnreachableSourceError` when
        nothing answers.
        """
        found: dict[Artifact, Path] = {}
        failures: list[SourceError] = []
        dead: set[str] = set()
        for artifact in wanted:
            for url in self._addresses(artifact):
                if artifact in found or host_of(url) in dead:
                    continue
                path = own_place(artifact, into)
                is_right = partial(is_locked_file, artifact) if artifact.proofs else None
                try:
                    if self.downloads.file(url, path, is_right):
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

    def _addresses(self, artifact: Artifact) -> tuple[str, ...]:
        if not isinstance(artifact, Gem):
            return ()
        return (f"{self.mirror}/gems/{artifact.filename}",) if self.mirror else artifact.addresses
