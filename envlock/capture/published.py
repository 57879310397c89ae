"""The seam to published packages: which member of one has the content of a file.

A claim may name the member with a condition that only the content shows.  Other packages state no
digests of their files, but which file they came from.  Whoever has that file can say what its
members are; the capture neither opens nor downloads any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from envlock.capture.files.ownership import Claims
from envlock.model.tree import Row

Lookup = Callable[[str, str], str]
"""(record that owns a path, SHA-256 of its content) -> source of a row, or empty."""
Published = Callable[[Iterable[tuple[str, str]]], Lookup]
"""Called once with pairs of record and artifact (`Claim.artifact`), sorted; returns the lookup."""

_SCRIPT = b"#!"


class Members:
    """Looks content up in the published packages of an environment, once some is asked for."""

    def __init__(self, published: Published | None, claims: Claims) -> None:
        self._published = published
        self._claims = claims
        self._lookup: Lookup | None = None

    def source(self, row: Row, read: Callable[[], bytes]) -> str:
        """Return the source of the content of a row, empty when no package is known to have it.

        All claims must be known.  `read` returns how the file begins; it may raise OSError.
        """
        entry = row.entry
        claim = self._claims.get(entry.path)
        if claim is not None and claim.moved and claim.digest == f"sha256:{entry.sha256}":
            return "" if read().startswith(_SCRIPT) else claim.moved
        return self._looked_up(row.owner, entry.sha256)

    def _looked_up(self, owner: str, sha256: str) -> str:
        if self._published is None:
            return ""
        if self._lookup is None:
            found = {(each.owner, each.artifact) for each in self._claims.values() if each.artifact}
            self._lookup = self._published(sorted(found))
        return self._lookup(owner, sha256)
