"""What only a closure states of files and packages, as records that can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from envlock.model.lock import Lock
from envlock.model.parity import COMPILED, unrecorded
from envlock.model.record import Facts
from envlock.model.scope import Role
from envlock.model.text import sort_key


def with_stated(locks: tuple[Lock, Lock], pairs: Sequence[tuple[Role, Role]], side: int) -> Lock:
    """Return the lock of a side (0 or 1) with what only its closures state.

    `pairs` are the roles of both sides that have closures of their own.  Digests of compiled files
    are left out where the other side has none: that is unknown.
    """
    lock = locks[side]
    added: dict[str, dict[str, Facts]] = {}
    for roles in pairs:
        found = [list(unrecorded(*each)) for each in zip(locks, roles, strict=True)]
        both = all(any(COMPILED in record.facts for record in records) for records in found)
        for section, key, facts in found[side]:
            if both or COMPILED not in facts:
                added.setdefault(section, {})[key] = facts
    return _with_records(lock, added)


def with_own(lock: Lock, roles: Sequence[Role]) -> Lock:
    """Return a lock with what its own closures state."""
    added: dict[str, dict[str, Facts]] = {}
    for role in roles:
        for section, key, facts in unrecorded(lock, role):
            added.setdefault(section, {})[key] = facts
    return _with_records(lock, added)


def _with_records(lock: Lock, added: Mapping[str, Mapping[str, Facts]]) -> Lock:
    if not added:
        return lock
    sections = dict(lock.sections)
    for section, records in added.items():
        every = {**sections.get(section, {}), **records}
        sections[section] = {key: every[key] for key in sorted(every, key=sort_key)}
    return Lock(
        sections={name: sections[name] for name in sorted(sections)},
        coverage=lock.coverage,
        version=lock.version,
    )
