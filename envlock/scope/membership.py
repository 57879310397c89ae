"""Records that belong to an application on one side only, although both sides have them."""

from __future__ import annotations

from envlock.model.belonging import Belonging, is_of_start
from envlock.model.facts import Part, part_of
from envlock.model.lock import Lock
from envlock.model.parity import of_scope
from envlock.model.scope import STEP, MemberClass
from envlock.model.scoping import Identity
from envlock.model.text import sort_key


def only_of(
    ours: frozenset[Identity],
    theirs: frozenset[Identity],
    belonging: Belonging,
    locks: tuple[Lock, Lock],
) -> tuple[str, ...]:
    """Return what belongs to one side's application alone, although the other side has it.

    `locks` are this side's and the other's.  A recorded run adds members; where only one side has
    one, they prove nothing about the other.  Neither does what only metadata depends on: another
    package may need it there.  What follows from a record that differs is told there: a library
    that is missing has its own libraries missing too.
    """
    is_traced = any(m.member_class is MemberClass.TRACED for m in belonging.members.values())
    weak = {MemberClass.DEPENDS} if is_traced else {MemberClass.DEPENDS, MemberClass.TRACED}
    alone = ours - theirs
    found = []
    for section, key in sorted(alone, key=lambda i: (i[0], sort_key(i[1]))):
        if is_of_start(section, key) or part_of(section) is not Part.ENVIRONMENT:
            continue
        if key in locks[1].sections.get(section, {}):
            member = belonging.member(section, key)
            is_weak = member is not None and member.member_class in weak
            if not is_weak and not _follows((section, key), belonging, alone, locks):
                found.append(f"{section}:{key}")
    return tuple(found)


def _follows(
    identity: Identity,
    belonging: Belonging,
    alone: frozenset[Identity],
    locks: tuple[Lock, Lock],
) -> bool:
    """True when the chain to a member begins at a record that the other side has otherwise."""
    seen = set()
    while identity not in seen:
        seen.add(identity)
        member = belonging.member(*identity)
        section, colon, key = member.via.partition(STEP)[0].partition(":") if member else ("",) * 3
        if not colon:
            return False
        identity = section, key
        mine, other = (lock.get(section, key) for lock in locks)
        if mine and of_scope(section, mine) != of_scope(section, other):
            return True
        if identity not in alone:
            return False
    return False
