"""Give every path of a scan its class, its owner and its source."""

from __future__ import annotations

from envlock.capture.files.ownership import Claim, Claims
from envlock.capture.files.rules import file_rule
from envlock.capture.files.verification import has_other_type_or_target
from envlock.model.tree import Entry, EntryType, FileClass, Row

_CONTENT_NOT_KEPT = frozenset({FileClass.CACHE, FileClass.LOG})
_NAMELESS = frozenset({FileClass.SECRET, FileClass.IDENTITY})
STATE_LIMIT = 16 * 1024 * 1024
"""Largest file, in bytes, that is carried by value only because it is service state."""


def classify(entry: Entry, claims: Claims) -> Row:
    """Return the row of `entry`.

    The source of a regular file is settled here except for one case: ``blob`` is proposed for
    every file that must travel by value, and the engine replaces it where the content turns out
    to be secret or unreadable.  Secret and identity files lose their digest and size, since a
    plain hash of a secret can be guessed.
    """
    claim = claims.get(entry.path)
    rule = file_rule(entry.path, owned=claim is not None and not claim.generated)
    owner = claim.owner if claim else ""
    if rule is not None:
        return _noisy(entry, rule.file_class, owner, claim)
    if claim is None:
        return Row(entry, FileClass.UNOWNED, "", _by_value(entry))
    if claim.generated:
        return Row(entry, FileClass.GENERATED, owner, _by_value(entry))
    if has_other_type_or_target(entry, claim):
        return Row(entry, _modified(claim), owner, _by_value(entry))
    if entry.type is not EntryType.FILE:
        return Row(entry, FileClass.PACKAGE, owner)
    pristine = FileClass.CONFFILE if claim.conffile else FileClass.PACKAGE
    if not is_comparable(entry, claim):
        # Nothing says that the file was modified, and nothing proves that it was not: it is the
        # package's, and its content, where it was read, travels by value.
        return Row(entry, pristine, owner, _by_value(entry))
    if matches(entry, claim):
        return Row(entry, pristine, owner, _source(entry, claim))
    return Row(entry, _modified(claim), owner, _by_value(entry))


def matches(entry: Entry, claim: Claim) -> bool:
    """True when the entry's content is what the package states; False when it states nothing."""
    return is_comparable(entry, claim) and _digest(entry, claim) == claim.digest


def is_comparable(entry: Entry, claim: Claim) -> bool:
    """True when the package states a digest and the entry has one of that algorithm."""
    return bool(claim.digest and _digest(entry, claim).partition(":")[2])


def _digest(entry: Entry, claim: Claim) -> str:
    """Return the entry's digest by the algorithm of the claim's."""
    algorithm = claim.digest.partition(":")[0]
    values = {"md5": entry.md5, "sha1": entry.sha1}
    return f"{algorithm}:{values.get(algorithm, entry.sha256)}"


def _modified(claim: Claim) -> FileClass:
    return FileClass.CONFFILE_MODIFIED if claim.conffile else FileClass.PACKAGE_MODIFIED


def hide(entry: Entry) -> Entry:
    """Return `entry` without digest and size: what may be known of a secret file."""
    return entry._replace(sha256="", md5="", sha1="", size=0)


def _noisy(entry: Entry, kind: FileClass, owner: str, claim: Claim | None) -> Row:
    if kind in _NAMELESS:
        return Row(hide(entry), kind, owner, "observed" if entry.type is EntryType.FILE else "")
    if claim is not None and matches(entry, claim):
        return Row(entry, kind, owner, _source(entry, claim))
    if kind in _CONTENT_NOT_KEPT or (kind is FileClass.STATE and entry.size > STATE_LIMIT):
        return Row(entry, kind, owner, "observed" if entry.type is EntryType.FILE else "")
    return Row(entry, kind, owner, _by_value(entry))


def _source(entry: Entry, claim: Claim) -> str:
    return claim.source or _by_value(entry)


def _by_value(entry: Entry) -> str:
    if entry.type is not EntryType.FILE:
        return ""
    return f"blob {entry.sha256}" if entry.sha256 else "observed"
