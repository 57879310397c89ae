"""What collectors look at beside the scanned tree: other mounts, and what the kernel tells."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from envlock.capture.files.rules import ELSEWHERE
from envlock.capture.scan.access_log import AccessLog
from envlock.targets.base import Target


def mounts_that_matter(mounts: Mapping[str, str]) -> dict[str, str]:
    """Return the mounts that a walk meets: not those inside of another, nor of containers."""
    points = tuple(f"{path}/" for path in mounts)
    return {
        path: kind
        for path, kind in sorted(mounts.items())
        if not path.startswith(points) and not ELSEWHERE.hold(f"{path}/")
    }


def outside(notes: AccessLog, mounts: Mapping[str, str]) -> list[str]:
    """Return the paths that were asked for and lie outside of the scan."""
    points = tuple(f"{path}/" for path in mounts)
    asked = sorted(notes.paths | notes.folders)
    return [path for path in asked if path.startswith(points) or ELSEWHERE.hold(path)]


def digest_of(paths: Iterable[str], target: Target) -> str:
    """Return a digest of what stands at each path."""
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
