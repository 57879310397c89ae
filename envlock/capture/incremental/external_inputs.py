"""Inputs of collectors outside the scanned tree: other mounts, and files of the kernel."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from envlock.capture.files.rules import OTHER_ENVIRONMENTS
from envlock.capture.scan.access_log import AccessLog
from envlock.targets.base import Target


def mounts_that_matter(mounts: Mapping[str, str]) -> dict[str, str]:
    """Return the mounts that a walk meets: none inside another mount, none of containers."""
    points = tuple(f"{path}/" for path in mounts)
    return {
        path: kind
        for path, kind in sorted(mounts.items())
        if not path.startswith(points) and not OTHER_ENVIRONMENTS.matches(f"{path}/")
    }


def external_paths(access_log: AccessLog, mounts: Mapping[str, str]) -> list[str]:
    """Return the paths that collectors asked for and that lie outside the scan."""
    points = tuple(f"{path}/" for path in mounts)
    asked = sorted(access_log.paths | access_log.folders)
    return [path for path in asked if path.startswith(points) or OTHER_ENVIRONMENTS.matches(path)]


def digest_of(paths: Iterable[str], target: Target) -> str:
    """Return a digest of the content, the listing or the error number at each path."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path}\0{_seen(path, target)}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _seen(path: str, target: Target) -> str:
    try:
        try:
            return hashlib.sha256(target.read(path)).hexdigest()
        except IsADirectoryError:
            return "\0".join(target.names(path))
    except OSError as error:
        return str(error.errno)
