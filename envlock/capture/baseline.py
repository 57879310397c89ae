"""Hold a scanned path against what its package states of it beside the content."""

from __future__ import annotations

from envlock.capture.ownership import Claim, Stated
from envlock.capture.parse.capability import NO_CAPABILITIES, decode_capabilities
from envlock.model.record import Facts
from envlock.model.tree import Entry, EntryType

_NO_FACTS: Facts = {}
_CAPABILITY = "security.capability"
_WORDS = {
    EntryType.FILE: "file",
    EntryType.DIRECTORY: "directory",
    EntryType.SYMLINK: "symlink",
}


def is_other_thing(entry: Entry, stated: Stated | None) -> bool:
    """True when the path is of another type than stated, or a link that leads elsewhere."""
    if stated is None or stated.type is None:
        return False
    kind = EntryType.FILE if entry.type is EntryType.HARDLINK else entry.type
    if kind is not stated.type:
        return True
    return stated.target is not None and entry.target != stated.target


def deviations(entry: Entry, claim: Claim | None, *, with_owners: bool) -> Facts:
    """Return what the package states where the path is otherwise; nothing where it agrees.

    Facts: ``packaged-type``, ``packaged-target``, ``packaged-mode``, ``packaged-owner``
    (``uid:gid``), and ``packaged-capability`` with the actual ``capability``.  `with_owners` is
    False where the files were unpacked without the right to give them their owners.
    """
    stated = claim.stated if claim else None
    if stated is None:
        return _NO_FACTS
    facts: dict[str, str] = {}
    if is_other_thing(entry, stated):
        if stated.target is not None:
            facts["packaged-target"] = stated.target or "nothing"
        elif stated.type is not None:
            facts["packaged-type"] = _WORDS.get(stated.type, "special file")
        return facts
    if stated.mode is not None and entry.mode != stated.mode:
        facts["packaged-mode"] = f"{stated.mode:04o}"
    user, group = (
        found if wanted is None else wanted
        for found, wanted in zip((str(entry.uid), str(entry.gid)), stated[2:4], strict=True)
    )
    if with_owners and (user, group) != (str(entry.uid), str(entry.gid)):
        facts["packaged-owner"] = f"{user}:{group}"
    # Attributes are read with the content, so where there is no digest nothing is known of them.
    if stated.capabilities is not None and entry.sha256:
        raw = dict(entry.xattrs).get(_CAPABILITY)
        found = decode_capabilities(raw) if raw else NO_CAPABILITIES
        if found != stated.capabilities:
            facts["capability"] = str(found or "unknown")
            facts["packaged-capability"] = str(stated.capabilities)
    return facts
