"""Comparison of a scanned path with the metadata that its package states."""

from __future__ import annotations

import hashlib

from envlock.capture.files.ownership import Claim
from envlock.formats.binary.file_capabilities import NO_CAPABILITIES, decode_capabilities
from envlock.model.record import Facts
from envlock.model.text import to_bytes
from envlock.model.tree import Entry, EntryType

_NO_FACTS: Facts = {}
_CAPABILITY = "security.capability"
_WORDS = {
    EntryType.FILE: "file",
    EntryType.DIRECTORY: "directory",
    EntryType.SYMLINK: "symlink",
}


def has_other_type_or_target(entry: Entry, claim: Claim) -> bool:
    """True when the type of the path or the target of its link differs from what is stated."""
    stated = claim.stated
    if stated is None:
        return False
    if stated.type is None:
        # apk does not distinguish links from files; for a link it states the digest of the target.
        return entry.type is EntryType.SYMLINK and not _has_stated_target(entry, claim)
    kind = EntryType.FILE if entry.type is EntryType.HARDLINK else entry.type
    if kind is not stated.type:
        return True
    return stated.target is not None and entry.target != stated.target


def _has_stated_target(entry: Entry, claim: Claim) -> bool:
    algorithm, _, digest = claim.digest.partition(":")
    if not digest:
        return True
    target = hashlib.new(algorithm, to_bytes(entry.target), usedforsecurity=False)
    return target.hexdigest() == digest


def deviations(entry: Entry, claim: Claim | None, *, with_owners: bool) -> Facts:
    """Return what the package states wherever the path differs; empty where it agrees.

    Facts: ``packaged-type``, ``packaged-target``, ``packaged-mode``, ``packaged-owner``
    (``uid:gid``), and ``packaged-capability`` with the actual ``capability``.  `with_owners` is
    False where the files were unpacked by a user who could not set their owners.
    """
    if claim is None or claim.stated is None:
        return _NO_FACTS
    stated = claim.stated
    facts: dict[str, str] = {}
    if has_other_type_or_target(entry, claim):
        if stated.target is not None:
            facts["packaged-target"] = stated.target or "nothing"
        elif stated.type is not None:
            facts["packaged-type"] = _WORDS.get(stated.type, "special file")
        return facts
    is_link = entry.type is EntryType.SYMLINK  # the mode of a link means nothing
    if stated.mode is not None and entry.mode != stated.mode and not is_link:
        facts["packaged-mode"] = f"{stated.mode:04o}"
    user, group = (
        found if wanted is None else wanted
        for found, wanted in zip((str(entry.uid), str(entry.gid)), stated[2:4], strict=True)
    )
    if with_owners and (user, group) != (str(entry.uid), str(entry.gid)):
        facts["packaged-owner"] = f"{user}:{group}"
    # Attributes are read with the content: without a digest they are unknown.
    if stated.capabilities is not None and entry.sha256:
        raw = dict(entry.xattrs).get(_CAPABILITY)
        found = decode_capabilities(raw) if raw else NO_CAPABILITIES
        if found != stated.capabilities:
            facts["capability"] = str(found or "unknown")
            facts["packaged-capability"] = str(stated.capabilities)
    return facts
