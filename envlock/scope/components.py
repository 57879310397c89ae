"""Packages of two package systems, paired by what an application needs of them.

A Fedora laptop and a Debian container have no package in common by name.  The shared library that
the loader picked has one name on both, a program too, and so has often the source of a package.
What is paired becomes one record of the section ``component``, with its upstream version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from envlock.model.facts import Family, order_of, packages_of
from envlock.model.lock import Lock, Section
from envlock.model.record import Facts
from envlock.model.scope import STEP, Member, MemberClass, Role
from envlock.model.text import sort_key
from envlock.versions.ordering import upstream

SECTION = "component"
_SYSTEM = packages_of(Family.DEBIAN, Family.SYSTEM)


class _Package(NamedTuple):
    """A package of a closure, and the names by which it can be paired, the surest first."""

    member: Member
    facts: Facts
    names: tuple[str, ...]


class Components(NamedTuple):
    """The members and the records of one side that stand for its packages."""

    members: tuple[Member, ...]
    records: Mapping[str, Facts]


def system_of(role: Role) -> frozenset[str]:
    """Return the package systems of the operating system that a closure has members of."""
    return frozenset(member.section for member in role.members if member.section in _SYSTEM)


def are_foreign(left: Role, right: Role) -> bool:
    """True when two closures have packages of operating systems, and of no common system."""
    ours, theirs = system_of(left), system_of(right)
    return bool(ours and theirs and not ours & theirs)


def components(sides: tuple[tuple[Role, Lock], tuple[Role, Lock]]) -> tuple[Components, Components]:
    """Return the packages of both closures by the names of their pairs.

    A package that only depends on another by its metadata, and has no partner, is left out: other
    distributions divide their packages otherwise.
    """
    ours, theirs = ([*_packages(*side)] for side in sides)
    named: tuple[dict[str, _Package], dict[str, _Package]] = ({}, {})
    left, right = list(ours), list(theirs)
    for level in range(_LEVELS):
        known = {name: package for package in right if (name := _name(package, level))}
        for package in list(left):
            name = _name(package, level)
            partner = known.pop(name, None) if name else None
            if partner is None or name in named[0]:
                continue
            left.remove(package)
            right.remove(partner)
            named[0][name], named[1][name] = package, partner
    for rest, found in ((left, named[0]), (right, named[1])):
        for package in rest:
            name = next(filter(None, package.names))
            if package.member.member_class is not MemberClass.DEPENDS and name not in named[0]:
                found.setdefault(name, package)
    return _side(named[0], named[1]), _side(named[1], named[0])


_LEVELS = 3


def _packages(role: Role, lock: Lock) -> Iterator[_Package]:
    for member in role.members:
        facts = lock.get(member.section, member.key)
        if member.section not in _SYSTEM or not facts:
            continue
        step = member.via.rpartition(STEP)[2] if STEP in member.via else ""
        is_library = ".so" in step
        name = _package_name(member, facts)
        source = facts.get("source", name)
        program = "" if is_library else step.removeprefix("#!").rpartition("/")[2]
        yield _Package(member, facts, (step if is_library else program, source, name))


def _package_name(member: Member, facts: Facts) -> str:
    name = member.key.partition(":")[0]
    version = facts.get("version", "")
    if member.section == "rpm":
        name = name.partition(f"-{version}")[0] if version else name
        name = name.rpartition(".")[0] or name
    return name


def _name(package: _Package, level: int) -> str:
    return package.names[level]


def _side(ours: Mapping[str, _Package], theirs: Mapping[str, _Package]) -> Components:
    members, records = [], {}
    for name in sorted(ours, key=sort_key):
        package, partner = ours[name], theirs.get(name)
        told = [_told(package)] + ([_told(partner)] if partner else [])
        both = " ↔ ".join(sorted(told))
        via = STEP.join(filter(None, (package.member.via, both)))
        members.append(package.member._replace(section=SECTION, key=name, via=via))
        records[name] = {"version": _upstream(package), "package": _told(package)}
    return Components(tuple(members), records)


def _told(package: _Package) -> str:
    name, version = package.names[2], package.facts.get("version", "")
    return f"{name} {version} ({package.member.section})"


def _upstream(package: _Package) -> str:
    version = package.facts.get("version", "?")
    try:
        return upstream(order_of(package.member.section), version)
    except ValueError:
        return version


def with_components(lock: Lock, role: Role, found: Components) -> tuple[Lock, Role]:
    """Return a lock and a role in which components stand for the packages of the closure."""
    gone = {(m.section, m.key) for m in role.members if m.section in _SYSTEM}
    sections: dict[str, Section] = {
        name: {key: facts for key, facts in entries.items() if (name, key) not in gone}
        if name in _SYSTEM
        else entries
        for name, entries in lock.sections.items()
    }
    sections[SECTION] = {**sections.get(SECTION, {}), **found.records}
    rest = tuple(member for member in role.members if member.section not in _SYSTEM)
    return (
        Lock(sections=sections, coverage=lock.coverage, version=lock.version),
        role._replace(members=(*rest, *found.members)),
    )
