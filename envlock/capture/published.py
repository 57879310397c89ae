"""The seam to published packages: which member of one has the content of a file.

A claim may name the member with a condition that only the content shows.  Other packages state no
digests of their files, but which file they came from.  Whoever has that file can say what its
members are; the capture neither opens nor downloads any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from envlock.capture.files.ownership import Claim, Claims
from envlock.model.record import Facts, Record
from envlock.model.tree import Row

Lookup = Callable[[str, str], str]
"""(record that owns a path, SHA-256 of its content) -> source of a row, or empty."""


class Published(NamedTuple):
    """Somebody who has published packages.

    `look` is called once with pairs of record and artifact (`Claim.artifact`), sorted, and the
    records of the repositories as far as they are known, and returns the lookup.  With
    `knows_all`, a package that it does not know cannot be had.
    """

    look: Callable[[Iterable[tuple[str, str]], Mapping[str, Facts]], Lookup]
    knows_all: bool = False


_SCRIPT = b"#!"


class Members:
    """Looks content up in the published packages of an environment, once some is asked for."""

    def __init__(
        self, published: Published | None, claims: Claims, records: Sequence[Record] = ()
    ) -> None:
        self._published = published
        self._claims = claims
        self._records = records
        self._lookup: Lookup | None = None

    def source(self, row: Row, read: Callable[[], bytes]) -> str:
        """Return the source of the content of a row, empty when no package is known to have it.

        All claims must be known.  `read` returns how the file begins; it may raise OSError.
        """
        entry = row.entry
        claim = self._claims.get(entry.path)
        if claim is not None and claim.moved and claim.digest == f"sha256:{entry.sha256}":
            if read().startswith(_SCRIPT):
                return ""
            if not self._may_be_missing(claim):
                return claim.moved
        return self._looked_up(row.owner, entry.sha256)

    def held(self, row: Row) -> Row:
        """Return a row that names a package, by value when that package cannot be had.

        What pip built of a source distribution looks like a published wheel, and is none.
        """
        claim = self._claims.get(row.entry.path)
        if not row.source or claim is None or claim.source != row.source:
            return row  # a directory has no source
        if not self._may_be_missing(claim):
            return row
        if self._looked_up(row.owner, row.entry.sha256):
            return row
        return row._replace(source=f"blob {row.entry.sha256}")

    def _may_be_missing(self, claim: Claim) -> bool:
        """True when the package of a claim may not exist, and whoever has packages knows it."""
        return bool(claim.artifact) and self._published is not None and self._published.knows_all

    def _looked_up(self, owner: str, sha256: str) -> str:
        published = self._published
        if published is None:
            return ""
        if self._lookup is None:
            claims = (each for each in self._claims.values() if each.artifact)
            asked = (c for c in claims if published.knows_all or not (c.source or c.moved))
            found = {(claim.owner, claim.artifact) for claim in asked}
            repositories = {
                record.key: record.facts
                for record in self._records
                if record.section == "repository"
            }
            self._lookup = published.look(sorted(found), repositories)
        return self._lookup(owner, sha256)
