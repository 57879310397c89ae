"""Packages of rpm in the caches that dnf, yum and zypper keep on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from envlock.materialize.artifacts.sources.base import ArtifactSource, SourceRequest
from envlock.materialize.artifacts.sources.directory import DirectorySource

_CACHES = (
    "dnf/*/packages",
    "libdnf5/*/packages",
    "yum/*/*/*/packages",
    "zypp/packages/*",
    "zypp/packages/*/*",
)
"""Where packages are below ``/var/cache`` (dnf.conf(5), yum.conf(5), zypper(8))."""


def sources(request: SourceRequest) -> Sequence[ArtifactSource]:  # noqa: ARG001
    """Return the caches of this machine: none where nothing is kept."""
    return caches(Path("/var/cache"))


def caches(root: Path) -> list[ArtifactSource]:
    """Return the folders of packages below a directory of caches, in the order of their names."""
    folders = sorted({path for glob in _CACHES for path in root.glob(glob) if path.is_dir()})
    return [DirectorySource(name=str(path), path=path, by_content=False) for path in folders]
