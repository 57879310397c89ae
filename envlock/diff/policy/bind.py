"""Digests of values, to which waivers and baselines are bound: they end when a value changes."""

from __future__ import annotations

from envlock.diff.drift import Change, ChangeKind, Delta, fingerprint
from envlock.model.digest import hash_parts, leaf_digest
from envlock.model.record import Facts
from envlock.model.text import to_bytes

ABSENT = "absent"
"""The digest of a missing value."""

_MIRROR = {ChangeKind.ADDED: ChangeKind.REMOVED, ChangeKind.REMOVED: ChangeKind.ADDED}
_OF_FILES = ("mode", "sha256")


def bind(delta: Delta) -> tuple[str, str]:
    """Return a digest of each value, ``sha256:`` and 32 hex digits, or ``absent``.

    The digest of a record covers its facts, that of a folded directory everything below it, and
    that of a file its mode and content, which both locks and file trees contain.  The value of a
    secret is not in a lock, so it is not covered.
    """
    return _digest(delta, delta.left), _digest(delta, delta.right)


def mirrored_id(change: Change) -> str:
    """Return the fingerprint of `change` with the two sides exchanged."""
    kind = _MIRROR.get(change.kind, change.kind)
    return fingerprint(change.section, change.key, change.field, kind)


def _digest(delta: Delta, value: str | None) -> str:
    if value is None:
        return ABSENT
    names = (delta.section, delta.key, delta.field)
    content = [to_bytes(value)] if delta.field else [*_leaves(delta)]
    digest = hash_parts(b"envlock:value:v1", *map(to_bytes, names), *content)
    return f"sha256:{digest.hex()[:32]}"


def _leaves(delta: Delta) -> list[bytes]:
    return [
        leaf_digest(part.section, part.key, _identity(part.section, part.facts))
        for part in (delta, *delta.below)
    ]


def _identity(section: str, facts: Facts) -> Facts:
    if section != "file":
        return facts
    return {name: facts[name] for name in _OF_FILES if name in facts}
