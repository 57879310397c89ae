"""Claims: which package owns a path and what it states of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from envlock.formats.binary.file_capabilities import FileCapabilities
from envlock.model.tree import EntryType


class Stated(NamedTuple):
    """Metadata of a path in the databases of RPM, apk and pacman.

    A field is None where the database has no value or asks not to verify it.  `user` and `group`
    are numbers as text, or the name where the target has no such account.
    """

    type: EntryType | None = None
    mode: int | None = None
    user: str | None = None
    group: str | None = None
    target: str | None = None
    capabilities: FileCapabilities | None = None


class Claim(NamedTuple):
    """A package's statement about one path.

    `owner` is the claiming record, ``deb libc6:amd64`` or ``python app/numpy``.  `digest` is that
    of the packaged content as ``md5:<hex>``, ``sha1:<hex>`` or ``sha256:<hex>``, empty when the
    package states none (a directory, a link).  `conffile` marks configuration the administrator may
    edit. `source` names the artifact and member that a matching file can be fetched from (``deb
    PACKAGE MEMBER``, ``wheel DIST MEMBER``), empty when no artifact has it and the content must be
    stored by value.  `required`: a missing path is drift.  `generated`: the package owns the path
    but ships no content; programs create it later.  `artifact` says which published file the
    package came from, where that states no digests of its members: a scheme, and words after it
    (``npm NAME VERSION INTEGRITY``); or, beside `source` or `moved`, that there may be no such
    file.  `moved` is a `source` that holds unless the file is a script, since installers write the
    first line of scripts anew.
    """

    owner: str
    digest: str = ""
    conffile: bool = False
    source: str = ""
    required: bool = False
    generated: bool = False
    artifact: str = ""
    moved: str = ""
    stated: Stated | None = None


def to_plain(claim: Claim) -> tuple[Any, ...]:
    """Return a claim as plain values that `marshal` can write."""
    stated = claim.stated
    if stated is None:
        return tuple(claim)
    kind = stated.type.value if stated.type else None
    capabilities = None if stated.capabilities is None else tuple(stated.capabilities)
    return (*claim[:-1], (kind, *stated[1:-1], capabilities))


def from_plain(plain: tuple[Any, ...]) -> Claim:
    """Return the claim that `to_plain` converted."""
    stated = plain[-1]
    if stated is None:
        return Claim(*plain)
    found = Stated(*stated)._replace(
        type=EntryType(stated[0]) if stated[0] else None,
        capabilities=None if stated[-1] is None else FileCapabilities(*stated[-1]),
    )
    return Claim(*plain)._replace(stated=found)


Claims = Mapping[str, Claim]
"""Path -> claim; symbolic links in the directory part are resolved, as in the paths of a scan."""
