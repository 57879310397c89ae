"""Digests over specified canonical bytes, never over Python objects.

::

    H(parts...) = SHA-256 over the parts, each behind its length as 8 bytes big-endian
    leaf        = H("envlock:leaf:v1", section, key, canonical JSON of the facts)
    section     = H("envlock:section:v1", section, sorted leaves...)
    environment = H("envlock:environment:v1", H(name, section)... sorted by name)
    host        = H("envlock:host:v1", the same over the host sections)

The environment digest is identity: same environment, same digest, on any machine.  The file
digest (SHA-256 of the lockfile's bytes) is what is pushed and signed.  They are not the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import NamedTuple

from envlock.model.facts import Part, is_identity, part_of
from envlock.model.lock import Lock, Section
from envlock.model.record import Facts
from envlock.model.text import to_bytes


class Digests(NamedTuple):
    """The two digests of a lock, written ``envlock1:sha256:<hex>``."""

    environment: str
    host: str


def hash_parts(*parts: bytes) -> bytes:
    """Return H(parts...), 32 bytes."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


def leaf_digest(section: str, key: str, facts: Facts) -> bytes:
    """Return the digest of one record; facts that do not identify it are left out."""
    identity = {name: value for name, value in facts.items() if is_identity(section, name)}
    canonical = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hash_parts(b"envlock:leaf:v1", section.encode(), to_bytes(key), canonical.encode())


def section_digest(section: str, entries: Section) -> bytes:
    """Return the digest of a section, whatever the order of its records."""
    leaves = sorted(leaf_digest(section, key, facts) for key, facts in entries.items())
    return hash_parts(b"envlock:section:v1", section.encode(), *leaves)


def digests(lock: Lock) -> Digests:
    """Return the environment and host digests of `lock`."""
    return Digests(_part_digest(lock, Part.ENVIRONMENT), _part_digest(lock, Part.HOST))


def _part_digest(lock: Lock, part: Part) -> str:
    named = sorted(name for name in lock.sections if part_of(name) is part)
    roots: Iterable[bytes] = (
        hash_parts(name.encode(), section_digest(name, lock.sections[name])) for name in named
    )
    return f"envlock1:sha256:{hash_parts(f'envlock:{part.value}:v1'.encode(), *roots).hex()}"
