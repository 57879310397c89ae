"""The partner of an application in a lock that does not name one: what is most like it, and how.

Several that are about as like it are refused, by name: a comparison with the wrong application
would say nothing true.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from envlock.model.facts import Family, packages_of
from envlock.model.lock import Lock
from envlock.model.record import Facts
from envlock.model.scope import Member, MemberClass, Role, Root, RootKind
from envlock.model.scope_names import own_environments
from envlock.model.text import sort_key

FEWEST = 0.5
"""The least share that an application and its partner have in common."""
LEAST_ALIKE = 0.2
"""The least share of the packages of either that both have: an interpreter that many projects share
has much of any application, and is none of them."""
NEAR = 0.05
"""How much the best candidate must exceed the next one, as a share."""
_SHOWN = 4

_KINDS: Mapping[str, RootKind] = {
    "python": RootKind.PYTHON,
    "conda": RootKind.CONDA,
    "npm": RootKind.NODE,
}
_SYSTEM = packages_of(Family.DEBIAN, Family.SYSTEM)
_INTERPRETERS = ("python", "node", "java", "ruby", "php", "perl", "sh", "bash", "env")
"""Programs that run an application and are none themselves, also with a version behind them."""


class Partner(NamedTuple):
    """What was found: the root, its records as a role, the share in common, and of what it is."""

    root: Root
    role: Role
    score: float
    basis: str


class Refusal(NamedTuple):
    """Why nothing was paired, in one sentence without its end."""

    reason: str


class _Candidate(NamedTuple):
    """One environment: the share of packages, of the same versions, and how few it has besides."""

    share: float
    same: float
    alike: float
    name: str


def find_partner(role: Role, of: Lock, other: Lock) -> Partner | Refusal:
    """Return the partner in `other` of an application of the lock `of`."""
    for section, name in own_environments(role):
        packages = dict(_packages(of, section, name))
        if packages and section in _KINDS:
            return _environment(role, section, packages, other)
    return _by_name(role, other)


def share_of(role: Role, of: Lock, other_role: Role, other: Lock) -> tuple[float, str]:
    """Return the share that two applications have in common, and in words what that is of."""
    theirs = dict(own_environments(other_role))
    for section, name in own_environments(role):
        packages = dict(_packages(of, section, name))
        if packages and section in theirs:
            found = _compare(packages, other, section, theirs[section])
            return found.share, _basis(found.share, packages, section)
    names, others = _names(role), _names(other_role)
    common = names & others
    return (1.0, f"the same name, {min(common)}") if common else (0.0, "nothing in common")


def _packages(lock: Lock, section: str, name: str) -> Iterator[tuple[str, Facts]]:
    prefix = f"{name}/"
    for key, facts in lock.sections.get(section, {}).items():
        if key.startswith(prefix):
            yield key.removeprefix(prefix), facts


def _environment(
    role: Role, section: str, packages: Mapping[str, Facts], other: Lock
) -> Partner | Refusal:
    names = [key for key in other.sections.get(section, {}) if "/" not in key]
    found = sorted(
        (_compare(packages, other, section, name) for name in names),
        key=lambda c: (-c.share, -c.same, -c.alike, sort_key(c.name)),
    )
    close = [each for each in found if each.share >= FEWEST and each.alike >= LEAST_ALIKE]
    if not close:
        nearest = f"; the nearest, {_shown(found[0])}," if found else ", it"
        return Refusal(f"no {_TITLES[section]} there is like it{nearest} has too little in common")
    best = close[0]
    rivals = [other for other in close if _weight(best) - _weight(other) < NEAR]
    if len(rivals) > 1:
        listed = ", ".join(map(_shown, rivals[:_SHOWN]))
        return Refusal(f"several are about equally like it: {listed}")
    path = other.get(section, best.name).get("path", best.name)
    root = Root(_KINDS[section], path)
    members = [Member(section, best.name, MemberClass.DECLARED, role.name)]
    members += [
        Member(section, f"{best.name}/{key}", MemberClass.DECLARED, f"{section}:{best.name}")
        for key, _ in _packages(other, section, best.name)
    ]
    basis = _basis(best.share, packages, section)
    return Partner(root, Role(role.name, root, tuple(members), assumed=True), best.share, basis)


_TITLES = {
    "python": "Python environment",
    "conda": "conda environment",
    "npm": "Node application",
}


def _compare(packages: Mapping[str, Facts], other: Lock, section: str, name: str) -> _Candidate:
    theirs = dict(_packages(other, section, name))
    common = packages.keys() & theirs.keys()
    same = sum(packages[key].get("version") == theirs[key].get("version") for key in common)
    every = packages.keys() | theirs.keys()
    return _Candidate(
        len(common) / len(packages), same / len(packages), len(common) / len(every), name
    )


def _weight(candidate: _Candidate) -> float:
    return (candidate.share + candidate.same + candidate.alike) / 3


def _shown(candidate: _Candidate) -> str:
    return f"{candidate.name} ({candidate.share:.0%})"


def _basis(share: float, packages: Mapping[str, Facts], section: str) -> str:
    kinds = {"python": "Python packages", "npm": "Node packages", "conda": "conda packages"}
    return f"{round(share * len(packages))} of {len(packages)} {kinds.get(section, 'packages')}"


def _names(role: Role) -> set[str]:
    """Return the names by which a program or service is found: of the root and of its files."""
    root = role.root
    found = set()
    if root.kind is RootKind.SERVICE:
        found.add(root.argument.removesuffix(".service"))
    elif root.argument and root.kind in (RootKind.EXE, RootKind.PACKAGE):
        found.add(root.argument.rpartition("/")[2])
    for member in role.members:
        first, _, step = member.via.partition(" → ")
        if first == role.name and member.section in ("file", "software"):
            found.add((step or member.key).rpartition("/")[2])
        elif first == role.name and member.section in _SYSTEM:
            found.add(step.rpartition("/")[2] or member.key.partition(":")[0])
    return {name for name in found if name.rstrip("0123456789.") not in _INTERPRETERS}


def _by_name(role: Role, other: Lock) -> Partner | Refusal:
    """Return the service, program or package of the same name."""
    names = sorted(_names(role))
    if role.root.kind is RootKind.SERVICE:
        for name in names:
            key = f"{name}.service"
            if other.get("service", key):
                member = Member("service", key, MemberClass.DECLARED, role.name)
                return _named(role, Root(RootKind.SERVICE, name), member)
    for name in names:
        for section, key in _records_named(name, other):
            kind = RootKind.PACKAGE if section in _SYSTEM else RootKind.EXE
            argument = name if section in _SYSTEM else key
            member = Member(section, key, MemberClass.DECLARED, role.name)
            return _named(role, Root(kind, argument), member)
    wanted = " or ".join(names) or "what it runs"
    return Refusal(f"nothing there has the name of {wanted}")


def _named(role: Role, root: Root, member: Member) -> Partner:
    name = root.argument.rpartition("/")[2]
    found = Role(role.name, root, (member,), assumed=True)
    return Partner(root, found, 1.0, f"the same name, {name}")


def _records_named(name: str, lock: Lock) -> Iterator[tuple[str, str]]:
    """Yield the programs of a name, then the packages of a name."""
    for section in ("software", "file"):
        for key in lock.sections.get(section, {}):
            if key.rpartition("/")[2] == name:
                yield section, key
    for section in _SYSTEM:
        for key in lock.sections.get(section, {}):
            if name in (key, key.partition(":")[0], key.rpartition(".")[0]):
                yield section, key
