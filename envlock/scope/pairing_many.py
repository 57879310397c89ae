"""Pair the applications of three and more locks: by name, and by likeness where one lacks it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from envlock.model.belonging import Belonging
from envlock.model.lock import Lock
from envlock.model.parity import parity_digest
from envlock.model.scope import Role, RootKind
from envlock.model.scope_names import Names, differing, joined, names_of, renamed
from envlock.model.scoping import Identity, PairedBy, RolePair, Scoping
from envlock.scope.pairing import completed, found_roles, free, renamed_members, union
from envlock.scope.partner import Partner, find_partner


class PairedMany(NamedTuple):
    """Locks with names by role, and what belongs to which application; None for everything."""

    locks: Mapping[str, Lock]
    scoping: Scoping | None


def pair_many(locks: Mapping[str, Lock]) -> PairedMany:
    """Return many locks as they are compared in scope, by the same names."""
    roles = _roles(locks)
    if not roles:
        return PairedMany(locks, None)
    names = differing(
        [joined(names_of(lock, role) for role in roles[name]) for name, lock in locks.items()]
    )
    names = free(names, list(locks.values()))
    compared = {
        name: renamed(lock, own) for (name, lock), own in zip(locks.items(), names, strict=True)
    }
    every = sorted({role.name for found in roles.values() for role in found})
    pairs = tuple(_pair(role, roles, locks, compared, names) for role in every)
    return PairedMany(compared, Scoping(pairs))


def _roles(locks: Mapping[str, Lock]) -> Mapping[str, Sequence[Role]]:
    """Return the roles of each lock, those that it lacks searched by the first that has them."""
    known = {name: found_roles(lock) for name, lock in locks.items()}
    first: dict[str, str] = {}
    for name in sorted(known):
        for role in known[name]:
            first.setdefault(role, name)
    if not first:
        return {}
    result: dict[str, list[Role]] = {}
    for name, lock in locks.items():
        result[name] = list(known[name].values())
        for role in sorted(first.keys() - known[name].keys()):
            of = known[first[role]][role]
            partner = find_partner(of, locks[first[role]], lock)
            if isinstance(partner, Partner):
                result[name].append(completed(of, partner.role, lock))
    return result


def _pair(
    role: str,
    roles: Mapping[str, Sequence[Role]],
    locks: Mapping[str, Lock],
    compared: Mapping[str, Lock],
    names: Sequence[Names],
) -> RolePair:
    merged = Belonging.of((), ())
    records: set[Identity] = set()
    digests = set()
    for own, (name, found) in zip(names, roles.items(), strict=True):
        for each in found:
            if each.name != role:
                continue
            places = [own.path(place.path) for place in names_of(locks[name], each).places]
            belonging = Belonging.of(renamed_members(each, own), places)
            records |= {(r.section, r.key) for r in compared[name].records() if belonging.has(*r)}
            merged = Belonging.of(
                union(merged.members, belonging.members), {*merged.places, *places}
            )
            digests.add(parity_digest(locks[name], each))
    return RolePair(
        role=role,
        left="",
        right="",
        paired_by=PairedBy.DECLARED,
        is_equal=len(digests) == 1,
        members=tuple(merged.members.values()),
        places=tuple(sorted(merged.places)),
        records=frozenset(records),
        is_service=all(
            each.root.kind is RootKind.SERVICE
            for found in roles.values()
            for each in found
            if each.name == role
        ),
    )
