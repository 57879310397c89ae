"""The class, owner and source of every path of a scan."""

from __future__ import annotations

from envlock.capture.files.ownership import Claim, Claims
from envlock.capture.files.rule_table import FileRule
from envlock.capture.files.rules import noisy_rule
from envlock.capture.files.verification import has_other_type_or_target
from envlock.model.deciding import Exists
from envlock.model.tree import Entry, EntryType, FileClass, Row
from envlock.secrets.file_names import is_named_secret

NOT_STORED = frozenset({FileClass.CACHE, FileClass.LOG})
"""Classes whose contents are neither stored nor judged, and so have no digest."""
_WITHOUT_DIGEST = frozenset({FileClass.SECRET, FileClass.IDENTITY})
STATE_LIMIT = 16 * 1024 * 1024
"""Largest file, in bytes, of class `state` that is stored by value unasked; with a larger one, the
folder of its service is left out as a whole (`envlock.capture.files.state_search`)."""


def classify(entry: Entry, claims: Claims, exists: Exists) -> Row:
    """Return the row of `entry`; `exists` tells whether another path is there.

    The source ``blob`` is provisional: it is set for every file that must be stored by value, and
    the engine replaces it where the content turns out to be secret or unreadable.  Secret and
    identity files lose their digest and size, since a plain hash of a secret can be guessed; logs
    and caches lose their digest, since nothing judges their content.
    """
    claim = claims.get(entry.path)
    is_owned = claim is not None and not claim.generated
    rule = noisy_rule(entry, owned=is_owned, exists=exists)
    owner = claim.owner if claim else ""
    if rule is not None:
        return _by_rule(entry, rule, owner, claim)
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
        # The package states no digest to compare with, so the file counts as unmodified, and its
        # content, where it was read, is stored by value.
        return Row(entry, pristine, owner, _by_value(entry))
    if matches(entry, claim):
        return Row(entry, pristine, owner, _source(entry, claim))
    return Row(entry, _modified(claim), owner, _by_value(entry))


def matches(entry: Entry, claim: Claim) -> bool:
    """True when the content matches the packaged digest; False when the package states none."""
    return is_comparable(entry, claim) and _digest(entry, claim) == claim.digest


def is_comparable(entry: Entry, claim: Claim) -> bool:
    """True when the package states a digest and the entry has one of that algorithm."""
    return bool(claim.digest and _digest(entry, claim).partition(":")[2])


def _digest(entry: Entry, claim: Claim) -> str:
    """Return the entry's digest in the algorithm of the claim's digest."""
    algorithm = claim.digest.partition(":")[0]
    values = {"md5": entry.md5, "sha1": entry.sha1}
    return f"{algorithm}:{values.get(algorithm, entry.sha256)}"


def _modified(claim: Claim) -> FileClass:
    return FileClass.CONFFILE_MODIFIED if claim.conffile else FileClass.PACKAGE_MODIFIED


def without_digest(entry: Entry) -> Entry:
    """Return `entry` without its digests."""
    return entry._replace(sha256="", md5="", sha1="")


def hide(entry: Entry) -> Entry:
    """Return `entry` without digest and size, as a secret file is recorded."""
    return without_digest(entry)._replace(size=0)


def _by_rule(entry: Entry, rule: FileRule, owner: str, claim: Claim | None) -> Row:
    kind = rule.file_class
    if kind in NOT_STORED and is_named_secret(entry.path) and entry.type is EntryType.FILE:
        kind = FileClass.SECRET
    if kind in _WITHOUT_DIGEST:
        return Row(hide(entry), kind, owner, "observed" if entry.type is EntryType.FILE else "")
    if claim is not None and matches(entry, claim):
        return Row(entry, kind, owner, _source(entry, claim))
    if kind in NOT_STORED:  # no gate has judged the content
        entry = without_digest(entry)
    if kind in NOT_STORED:
        return Row(entry, kind, owner, "observed" if entry.type is EntryType.FILE else "")
    return Row(entry, kind, owner, _by_value(entry))


def _source(entry: Entry, claim: Claim) -> str:
    return claim.source or _by_value(entry)


def _by_value(entry: Entry) -> str:
    if entry.type is not EntryType.FILE:
        return ""
    return f"blob {entry.sha256}" if entry.sha256 else "observed"
