"""The seam to published packages: which member of one has the content of a file.

Some packages state no digests of their files, but which file they came from.  Whoever has that
file can say what its members are; the capture neither opens nor downloads any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from envlock.capture.files.ownership import Claims

Lookup = Callable[[str, str], str]
"""(record that owns a path, SHA-256 of its content) -> source of a row, or empty."""
Published = Callable[[Iterable[tuple[str, str]]], Lookup]
"""Called once with pairs of record and artifact (`Claim.artifact`), sorted; returns the lookup."""


class Members:
    """Looks content up in the published packages of an environment, once some is asked for."""

    def __init__(self, published: Published | None, claims: Claims) -> None:
        self._published = published
        self._claims = claims
        self._lookup: Lookup | None = None

    def source(self, owner: str, sha256: str) -> str:
        """Return the source of a row with this content, empty when no package has it.

        All claims must be known.
        """
        if self._published is None:
            return ""
        if self._lookup is None:
            found = {(each.owner, each.artifact) for each in self._claims.values() if each.artifact}
            self._lookup = self._published(sorted(found))
        return self._lookup(owner, sha256)
