"""Digests of values: what a waiver and a baseline are bound to, so that they end when it moves."""

from __future__ import annotations

from envlock.diff.drift import Change, ChangeKind, Delta, fingerprint
from envlock.model.digest import hash_parts, leaf_digest
from envlock.model.record import Facts
from envlock.model.text import to_bytes

ABSENT = "absent"
"""What stands for the side that has no value."""

_MIRROR = {ChangeKind.ADDED: ChangeKind.REMOVED, ChangeKind.REMOVED: ChangeKind.ADDED}
_OF_FILES = ("mode", "sha256")


def bind(delta: Delta) -> tuple[str, str]:
    """Return a digest of each value, ``sha256:`` and 32 hex digits, or ``absent``.

    A whole record stands for its facts, and a folded directory for all that is below it.  A file
    stands for its mode and content, which a lock and a file tree both know.  A secret has no value
    in a lock, so there is none to digest.
    """
    return _digest(delta, delta.left), _digest(delta, delta.right)


def mirrored_id(change: Change) -> str:
    """Return the fingerprint that `change` has when the two sides trade places."""
    kind = _MIRROR.get(change.kind, change.kind)
    return fingerprint(change.section, change.key, change.field, kind)


def _digest(delta: Delta, value: str | None) -> str:
    if value is None:
        return ABSENT
    place = (delta.section, delta.key, delta.field)
    stands_for = [to_bytes(value)] if delta.field else [*_leaves(delta)]
    digest = hash_parts(b"envlock:value:v1", *map(to_bytes, place), *stands_for)
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
