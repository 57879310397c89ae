"""Which files need a digest besides SHA-256: those whose packages state it."""

from __future__ import annotations

from collections.abc import Callable

from envlock.capture.files.ownership import Claims
from envlock.targets.base import Target


def wanted(target: Target, claims: Claims, algorithm: str, other: str) -> Callable[[str], bool]:
    """Return which files need a digest of `algorithm`, ``md5`` or ``sha1``; `other` is the other.

    Until the walk has ended, `claims` may not name all of them.
    """
    if target.is_streaming and not target.walks_before_reading:
        # A stream may show that a link leads to a path before anybody knows it is claimed.
        stated = {path for path in claims if _is_stated(claims, path, algorithm)}
        if stated or (algorithm == "md5" and not claims):
            return lambda path: not _is_stated(claims, path, other)
        return stated.__contains__
    return lambda path: _is_stated(claims, path, algorithm)


def _is_stated(claims: Claims, path: str, algorithm: str) -> bool:
    """True when a package states a digest of that algorithm for the path."""
    claim = claims.get(path)
    return claim is not None and claim.digest.startswith(f"{algorithm}:")
