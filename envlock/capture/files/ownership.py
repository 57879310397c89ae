"""Who claims a path: the packages' own lists, as data for the classification of files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from envlock.formats.binary.file_capabilities import FileCapabilities
from envlock.model.tree import EntryType


class Stated(NamedTuple):
    """What a package database states of a path beside its content: RPM, apk and pacman do.

    A field is None where the database states nothing or asks not to verify it.  `user` and
    `group` are numbers as text, or the name where the target has no such account.
    """

    type: EntryType | None = None
    mode: int | None = None
    user: str | None = None
    group: str | None = None
    target: str | None = None
    capabilities: FileCapabilities | None = None


class Claim(NamedTuple):
    """A package's statement about one path.

    `owner` is the claiming record, ``deb libc6:amd64`` or ``python app/numpy``.  `digest` is the
    packaged content as ``md5:<hex>``, ``sha1:<hex>`` or ``sha256:<hex>``, empty when the package
    states none (a directory, a link).  `conffile` marks configuration the administrator may edit.
    `source` is where a matching file can be had again (``deb PACKAGE MEMBER``,
    ``wheel DIST MEMBER``), empty when the artifact is not to be had and the content must travel by
    value.  `required`: that the path is missing is drift.  `generated`: the package owns the path
    and ships nothing there; programs make it later.
    """

    owner: str
    digest: str = ""
    conffile: bool = False
    source: str = ""
    required: bool = False
    generated: bool = False
    stated: Stated | None = None


def to_plain(claim: Claim) -> tuple[Any, ...]:
    """Return a claim as values that `marshal` can write."""
    stated = claim.stated
    if stated is None:
        return tuple(claim)
    kind = stated.type.value if stated.type else None
    capabilities = None if stated.capabilities is None else tuple(stated.capabilities)
    return (*claim[:-1], (kind, *stated[1:-1], capabilities))


def from_plain(plain: tuple[Any, ...]) -> Claim:
    """Return the claim that `to_plain` was given."""
    stated = plain[-1]
    if stated is None:
        return Claim(*plain)
    found = Stated(*stated)._replace(
        type=EntryType(stated[0]) if stated[0] else None,
        capabilities=None if stated[-1] is None else FileCapabilities(*stated[-1]),
    )
    return Claim(*plain)._replace(stated=found)


Claims = Mapping[str, Claim]
"""Path (links in its directory part resolved, as the scan yields it) -> claim."""
