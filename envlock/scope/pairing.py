"""Pair the applications of two locks, and name what is theirs alike on both sides.

Roles of the same name are one application.  What is left over is paired by similarity, and a side
that names no application is searched for the partner; see `envlock.scope.partner`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from envlock.model.belonging import Belonging, is_of_start
from envlock.model.locales import with_named_locales
from envlock.model.lock import Lock
from envlock.model.parity import parity_digest
from envlock.model.scope import EVERY, STEP, Member, Role, Root, RootKind, roles_of
from envlock.model.scope_names import Names, differing, joined, names_of, renamed
from envlock.model.scoping import Identity, PairedBy, RolePair, Scoping, absent_roots
from envlock.model.text import sort_key
from envlock.scope.components import are_foreign, components, with_components
from envlock.scope.membership import only_of
from envlock.scope.partner import FEWEST, Partner, find_partner, share_of
from envlock.scope.stated import with_stated

_UNNAMEABLE = re.compile(r"[^A-Za-z0-9_-]+")
LEFT, RIGHT = "left", "right"


class Paired(NamedTuple):
    """Two locks with names by role, what belongs to which application, and what could not be.

    `names` are those that were given to the left and to the right side.  `scoping` is None when no
    application was paired: then the locks are as they were, and `notes` say why.
    """

    left: Lock
    right: Lock
    names: tuple[Names, Names] = (Names({}), Names({}))
    scoping: Scoping | None = None
    notes: tuple[str, ...] = ()


class _Couple(NamedTuple):
    """One application on both sides, before anything is renamed."""

    left: Role
    right: Role
    paired_by: PairedBy
    score: float
    basis: str
    projected: str = ""
    is_lacking: bool = False
    """The right side has nothing of it, and is given the names of the left."""


def pair(
    left: Lock, right: Lock, left_name: str, right_name: str, *, joining: bool = False
) -> Paired:
    """Return two locks as they are compared in scope; the names are for notes.

    With `joining` the right side is to become like the left: an application of the left that it
    has nothing like is compared all the same, with what it has of it.
    """
    roles = (found_roles(left), found_roles(right))
    if not any(roles):
        text = (
            f"neither {left_name} nor {right_name} names an application, so everything is compared;"
            " --root app=python:.venv, or roots in envlock.toml, narrow it to one"
        )
        return Paired(left, right, notes=(text,))
    couples, notes = _couples((left, right), roles, (left_name, right_name), joining=joining)
    if not couples:
        return Paired(left, right, notes=tuple(notes))
    return _together((left, right), couples, (left_name, right_name), tuple(notes))


def found_roles(lock: Lock) -> Mapping[str, Role]:
    """Return the roles whose roots are there."""
    return {name: role for name, role in roles_of(lock).items() if role.is_found}


def partner_roots(known: Lock, other: Lock) -> Mapping[str, Root]:
    """Return by role the roots in `other` that are most like the applications of `known`."""
    found = {}
    for name, role in sorted(roles_of(known).items()):
        partner = find_partner(role, known, other)
        if isinstance(partner, Partner):
            found[name] = partner.root
    return found


def _couples(
    locks: tuple[Lock, Lock],
    roles: tuple[Mapping[str, Role], Mapping[str, Role]],
    names: tuple[str, str],
    *,
    joining: bool,
) -> tuple[list[_Couple], list[str]]:
    ours, theirs = roles
    couples = [
        _same_name(locks, ours[name], theirs[name]) for name in sorted(ours.keys() & theirs.keys())
    ]
    rest = [
        [role for name, role in sorted(each.items()) if name not in other]
        for each, other in ((ours, theirs), (theirs, ours))
    ]
    couples += _alike(locks, rest)
    notes = []
    for side, leftover in enumerate(rest):
        for role in leftover:
            found = find_partner(role, locks[side], locks[1 - side])
            if isinstance(found, Partner):
                couples.append(_projected(role, found, side))
                continue
            if joining and side == 0:
                nothing = Partner(role.root, role._replace(members=()), 0.0, found.reason)
                couples.append(_projected(role, nothing, side)._replace(is_lacking=True))
                continue
            if joining:
                continue  # what only the machine runs is not what it is to become
            text = f"{role.name} of {names[side]} is not compared with {names[1 - side]}:"
            notes.append(f"{text} {found.reason}; --root {role.name}=… names its root there")
    return sorted(couples, key=lambda couple: couple.left.name), notes


def _same_name(locks: tuple[Lock, Lock], ours: Role, theirs: Role) -> _Couple:
    share, basis = share_of(ours, locks[0], theirs, locks[1])
    if ours.assumed or theirs.assumed:
        return _Couple(ours, theirs, PairedBy.SIMILARITY, share, basis)
    return _Couple(ours, theirs, PairedBy.DECLARED, share, basis)


def _alike(locks: tuple[Lock, Lock], rest: list[list[Role]]) -> Iterator[_Couple]:
    """Yield the roles of different names that are each other's only likeness; take them out."""
    ours, theirs = rest
    for role in list(ours):
        shares = [(share_of(role, locks[0], other, locks[1]), other) for other in theirs]
        close = [(found, other) for found, other in shares if found[0] >= FEWEST]
        if len(close) == 1:
            (score, basis), other = close[0]
            ours.remove(role)
            theirs.remove(other)
            name = min((role.assumed, role.name), (other.assumed, other.name))[1]
            left, right = (_called(each, name) for each in (role, other))
            yield _Couple(left, right, PairedBy.SIMILARITY, score, basis)


def _called(role: Role, name: str) -> Role:
    """Return a role under another name, also in the chains of its members."""
    members = tuple(
        member._replace(via=name + member.via.removeprefix(role.name))
        if member.via.partition(STEP)[0] == role.name
        else member
        for member in role.members
    )
    return role._replace(name=name, members=members)


def _projected(role: Role, found: Partner, side: int) -> _Couple:
    pair_of = (role, found.role) if side == 0 else (found.role, role)
    where = RIGHT if side == 0 else LEFT
    return _Couple(*pair_of, PairedBy.SIMILARITY, found.score, found.basis, where)


def _together(
    locks: tuple[Lock, Lock],
    couples: list[_Couple],
    named: tuple[str, str],
    notes: tuple[str, ...],
) -> Paired:
    """Rename what both sides own, and say which record belongs to which application."""
    couples = [_completed(couple, locks) for couple in couples]
    digests = [_parity(couple, locks) for couple in couples]
    couples, locks = _with_components(couples, locks)
    own = [
        joined(names_of(locks[0], couple.left) for couple in couples),
        joined(
            names_of(locks[0], couple.left)
            if couple.is_lacking
            else names_of(locks[1], couple.right)
            for couple in couples
        ),
    ]
    first, second = free(differing(own), locks)
    names = (first, second)
    stating = [(each.left, each.right) for each in couples if not each.projected]
    left, right = (
        with_named_locales(renamed(with_stated(locks, stating, side), names[side]))
        for side, lock in enumerate(locks)
    )
    compared = (left, right)
    pairs = tuple(_pair(couple, locks, compared, names, named) for couple in couples)
    pairs = tuple(replace(pair, is_equal=equal) for pair, equal in zip(pairs, digests, strict=True))
    original = [
        {
            (section, names[side].key(section, key)): key
            for section, entries in lock.sections.items()
            for key in entries
            if names[side].key(section, key) != key
        }
        for side, lock in enumerate(locks)
    ]
    scoping = Scoping(
        pairs,
        absent_roots(*map(roles_of, locks)),
        is_machine_against_container=len([lock for lock in locks if lock.get("process")]) == 1,
        original=(original[0], original[1]),
    )
    return Paired(left, right, names, scoping, notes)


def _completed(couple: _Couple, locks: tuple[Lock, Lock]) -> _Couple:
    """Give the side that was searched what the other's closure has, where it has the record."""
    if couple.projected == LEFT:
        return couple._replace(left=completed(couple.right, couple.left, locks[0]))
    if couple.projected == RIGHT:
        return couple._replace(right=completed(couple.left, couple.right, locks[1]))
    return couple


def completed(known: Role, found: Role, lock: Lock) -> Role:
    """Return a role that was found in a lock with the members of a known one that the lock has."""
    own = {(member.section, member.key) for member in found.members}
    own_sections = {section for section, _ in own} & {"python", "conda", "npm"}
    more = tuple(
        member
        for member in known.members
        if member.section not in own_sections
        and (member.section, member.key) not in own
        and (member.key == EVERY or member.key in lock.sections.get(member.section, {}))
    )
    return found._replace(members=(*found.members, *more))


def free(names: Sequence[Names], locks: Sequence[Lock]) -> list[Names]:
    """Return the names, with a mark where one is the key of another record on any side."""
    sides = list(zip(names, locks, strict=True))

    def is_taken(section: str, new: str) -> bool:
        return any(
            new in lock.sections.get(section, {}) and new not in side.keys.get(section, {})
            for side, lock in sides
        )

    return [
        side._replace(
            keys={
                section: {
                    key: f"@{new}" if is_taken(section, new) else new for key, new in known.items()
                }
                for section, known in side.keys.items()
            }
        )
        for side in names
    ]


def _parity(couple: _Couple, locks: tuple[Lock, Lock]) -> bool:
    left, right = (
        parity_digest(lock, role)
        for lock, role in zip(locks, (couple.left, couple.right), strict=True)
    )
    return left == right and (not _are_services(couple) or _same_start(couple, locks))


def _are_services(couple: _Couple) -> bool:
    return couple.left.root.kind is couple.right.root.kind is RootKind.SERVICE


def _same_start(couple: _Couple, locks: tuple[Lock, Lock]) -> bool:
    """True when two services are started alike, which no digest covers."""
    left, right = (
        {
            (member.section, member.key): lock.get(member.section, member.key)
            for member in role.members
            if is_of_start(member.section, member.key)
        }
        for lock, role in zip(locks, (couple.left, couple.right), strict=True)
    )
    return left == right


def _with_components(
    couples: list[_Couple], locks: tuple[Lock, Lock]
) -> tuple[list[_Couple], tuple[Lock, Lock]]:
    """Put components in the place of packages of two systems that have none in common."""
    left, right = locks
    found = []
    for couple in couples:
        if are_foreign(couple.left, couple.right):
            ours, theirs = components(((couple.left, locks[0]), (couple.right, locks[1])))
            left, left_role = with_components(left, couple.left, ours)
            right, right_role = with_components(right, couple.right, theirs)
            found.append(couple._replace(left=left_role, right=right_role))
        else:
            found.append(couple)
    return found, (left, right)


def _pair(
    couple: _Couple,
    locks: tuple[Lock, Lock],
    compared: tuple[Lock, Lock],
    names: tuple[Names, Names],
    named: tuple[str, str],
) -> RolePair:
    ours, theirs = (
        Belonging.of(
            renamed_members(role, names[side]),
            [names[side].path(place.path) for place in names_of(locks[side], role).places],
        )
        for side, role in enumerate((couple.left, couple.right))
    )
    left, right = _belongs(compared[0], ours), _belongs(compared[1], theirs)
    only: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    if not couple.projected:
        only = (
            only_of(left, right, ours, compared),
            only_of(right, left, theirs, compared[::-1]),
        )
    return RolePair(
        role=couple.left.name,
        left=str(couple.left.root),
        right=str(couple.right.root),
        paired_by=couple.paired_by,
        score=couple.score,
        basis=couple.basis,
        projected=couple.projected,
        declare=tuple(_declaration(couple, named)),
        members=tuple(union(ours.members, theirs.members)),
        places=tuple(sorted({*ours.places, *theirs.places})),
        records=left | right,
        only_left=only[0],
        only_right=only[1],
        is_service=_are_services(couple),
    )


def _declaration(couple: _Couple, named: tuple[str, str]) -> Iterator[str]:
    """Yield the lines of envlock.toml that would declare a root that was found by likeness."""
    for side, role in zip(named, (couple.left, couple.right), strict=True):
        if role.assumed and role.root.kind is not RootKind.PROCESS:
            name = _UNNAMEABLE.sub("-", side).strip("-")
            yield f"[environments.{name}.roots]"
            yield f'{role.name} = "{role.root}"'


def renamed_members(role: Role, names: Names) -> Iterator[Member]:
    """Yield the members of a role with names by role, also in their edges."""
    for member in role.members:
        first, step, rest = member.via.partition(STEP)
        section, colon, key = first.partition(":")
        via = f"{section}:{names.key(section, key)}{step}{rest}" if colon else member.via
        yield member._replace(key=names.key(member.section, member.key), via=via)


_Members = Mapping[tuple[str, str], Member]


def union(ours: _Members, theirs: _Members) -> Iterator[Member]:
    """Yield the members of both sides, each with the stronger class."""
    for identity in sorted(ours.keys() | theirs.keys(), key=lambda i: (i[0], sort_key(i[1]))):
        found = [each[identity] for each in (ours, theirs) if identity in each]
        yield min(found, key=lambda member: member.member_class.rank)


def _belongs(lock: Lock, belonging: Belonging) -> frozenset[Identity]:
    return frozenset((r.section, r.key) for r in lock.records() if belonging.has(*r))
