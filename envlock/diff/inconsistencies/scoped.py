"""Inconsistencies in scope: which application each concerns, and what only a closure shows.

A record concerns an application when its closure has it.  Beyond that, a table says which records
matter because of a program: the jobs of cron where the application runs cron.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, Self

from envlock.diff.inconsistencies.find import find_inconsistencies
from envlock.diff.inconsistencies.inconsistency import Inconsistency
from envlock.model.belonging import Belonging
from envlock.model.coverage import Status
from envlock.model.lock import Lock
from envlock.model.record import Facts
from envlock.model.scope import EVERY, SECTION, STEP, MemberClass, Role, roles_of
from envlock.model.scope_names import names_of
from envlock.model.text import whole_number

_MISSING = "missing-library"
_WEAK = (MemberClass.DEPENDS, MemberClass.ALWAYS)
_PARTS = (MemberClass.LOADED, MemberClass.DEPENDS)
"""Classes of what an application may use: a part of it, where a library is missing, fails alone."""
_WORD = re.compile(r"[\w.+-]+")

_BY_PROGRAM: Mapping[str, frozenset[str]] = {
    "apt-source": frozenset({"apt", "apt-get", "dnf", "microdnf", "yum"}),
    "cron": frozenset({"anacron", "cron", "crond", "supercronic"}),
    "sudo": frozenset({"sudo"}),
    "user": frozenset({"login", "sshd", "su"}),
}
"""Sections whose records all concern an application that runs one of these programs."""
_BY_DRIVER = re.compile(r"(nvidia|amdgpu)")
"""Modules and packages of a driver, which concern an application that needs that driver."""
_OF_DRIVER = ("host.module", "host.dkms", "deb", "rpm")
_UNOWNED = frozenset({"software", "missing-library", "missing-symbol"})
"""Sections about programs that no package owns."""
_FOR_ALL = frozenset({"trust", "time-zone"})
"""Links that every application follows, as every closure has certificates and a time zone."""
_FOLDER_OF = re.compile(r"/etc/(?P<program>[a-z]++)[^/]*+/")


class Judged(NamedTuple):
    """An inconsistency, the roles that it concerns, and the chain to it.

    `scope` is None where everything is judged, and empty for what concerns no application.
    """

    found: Inconsistency
    scope: tuple[str, ...] | None = None
    via: str = ""

    @property
    def counts(self) -> bool:
        """False for what concerns no application, where applications are judged."""
        return self.scope != ()


class Judgement(NamedTuple):
    """What is wrong in an environment, the most severe first, for whom, and why so.

    `roles` are those that were judged, none where everything was; `note` then says why, empty
    where nobody asked for less.
    """

    found: tuple[Judged, ...]
    roles: tuple[Role, ...] = ()
    note: str = ""

    @property
    def counted(self) -> tuple[Judged, ...]:
        """What concerns an application; all where everything is judged."""
        return tuple(one for one in self.found if one.counts)

    @property
    def outside(self) -> tuple[Judged, ...]:
        """What concerns no application."""
        return tuple(one for one in self.found if not one.counts)


class _Closure(NamedTuple):
    """What an application needs; `names` are the programs and packages that it runs, as words."""

    role: Role
    belonging: Belonging
    names: frozenset[str]

    @classmethod
    def of(cls, lock: Lock, role: Role) -> Self:
        places = (place.path for place in names_of(lock, role).places)
        return cls(role, Belonging.of(role.members, places), frozenset(_names(lock, role)))


def judge_scope(lock: Lock, *, whole: bool = False) -> Judgement:
    """Return what is wrong in an environment, judged for its applications.

    With `whole`, or where the lock names no application, everything is judged.  That holds too
    where the closure of one is known in part only: then nothing is proved to be outside of it.
    """
    found = find_inconsistencies(lock)
    if whole:
        return Judgement(tuple(map(Judged, found)))
    roles = roles_of(lock)
    there = [role for role in roles.values() if role.is_found]
    absent = [role for role in roles.values() if _is_absent(role, lock)]
    lost = [Judged(_root_missing(role), (role.name,)) for role in absent]
    note = _why_everything(lock, there, absent)
    if note:
        judged = [*lost, *map(Judged, found)]
        return Judgement(_sorted(judged), note=note if found else "")
    closures = [_Closure.of(lock, role) for role in there]
    more = list(_unresolved(lock, closures, found))
    judged = [*lost, *(_judged(one, lock, closures) for one in (*found, *more))]
    return Judgement(_sorted(judged), tuple(there))


def _sorted(judged: Iterable[Judged]) -> tuple[Judged, ...]:
    return tuple(sorted(judged, key=lambda one: one.found.severity.rank))


def _why_everything(lock: Lock, there: list[Role], absent: list[Role]) -> str:
    """Return why everything is judged, empty if applications are."""
    if not there:
        if absent:
            return "no application is there, so everything counts"
        return (
            "it names no application, so everything counts; --root app=python:.venv, or roots in"
            " envlock.toml, narrow it to one"
        )
    coverage = lock.coverage.get(SECTION, {})
    gaps = whole_number(coverage.get("gaps")) or 0
    is_known = coverage.get("status", Status.OK) in (Status.OK, Status.ABSENT)
    if is_known or 0 < gaps <= len(absent):
        return ""
    names = " and ".join(role.name for role in there)
    reason = coverage.get("reason", "")
    return f"what {names} needs is known in part, so everything counts: {reason}"


def _is_absent(role: Role, lock: Lock) -> bool:
    """True for a declared root that is not there: nothing of it was found, and that is a gap."""
    is_gap = bool(whole_number(lock.coverage.get(SECTION, {}).get("gaps")))
    return is_gap and not role.is_found and not role.assumed


def _root_missing(role: Role) -> Inconsistency:
    message = f"it begins at {role.root}, and nothing is there"
    return Inconsistency("ROOT-MISSING", SECTION, role.name, message, "root")


def _unresolved(
    lock: Lock, closures: Iterable[_Closure], found: Iterable[Inconsistency]
) -> Iterator[Inconsistency]:
    """Yield the libraries that the loader does not find, for what no record tells of.

    Programs of packages are examined in a closure alone.
    """
    told = {one.record for one in found}
    seen = set()
    for closure in closures:
        for member in closure.role.members:
            if member.section != _MISSING or lock.get(_MISSING, member.key) or member.key in seen:
                continue
            seen.add(member.key)
            origin = member.via.partition(STEP)[0]
            section, _, key = origin.partition(":")
            needer = closure.belonging.member(section, key)
            if f"{section} {key}" in told:
                continue
            is_part = needer is not None and needer.member_class in _PARTS
            rule = "LIBRARY-UNRESOLVED-OPTIONAL" if is_part else "LIBRARY-UNRESOLVED"
            message = f"{member.via} needs it, and it is nowhere"
            yield Inconsistency(rule, _MISSING, member.key, message)


def _judged(one: Inconsistency, lock: Lock, closures: list[_Closure]) -> Judged:
    ours = [closure for closure in closures if _concerns(one, lock, closure)]
    members = (closure.belonging.member(one.section, one.key) for closure in ours)
    via = next((m.via for m in members if m is not None and STEP in m.via), "")
    return Judged(one, tuple(closure.role.name for closure in ours), via)


def _concerns(one: Inconsistency, lock: Lock, closure: _Closure) -> bool:
    """True when what is wrong is of the closure, or of what an application uses by a program."""
    section, key = one.section, one.key
    members = closure.belonging.members
    facts = lock.get(section, key)
    if (section, key) in members or (section, EVERY) in members:
        return True
    if closure.belonging.has(section, key, facts):
        return True
    if section == "missing-symbol" and facts.get("count", "1") != "1":
        return True  # the record names the first of those that need it
    if closure.role.assumed and _is_put_there(section, facts):
        return True
    if section == "dangling":
        return _is_followed(key, facts.get("kind", ""), closure)
    if section == "env":
        return bool(lock.get("process"))  # the variables of what the container runs
    if section == "setting":
        return key.partition(".")[0] in closure.names
    driver = _BY_DRIVER.match(key)
    if driver and section in _OF_DRIVER:
        return any(s == "host.driver" and k.startswith(driver[1]) for s, k in members)
    return not closure.names.isdisjoint(_BY_PROGRAM.get(section, ()))


def _is_put_there(section: str, facts: Facts) -> bool:
    """True for a program that no package owns.

    Whoever made an image put it there, and nobody declared that the application does not start it.
    """
    is_link = section == "dangling" and facts.get("kind") == "program"
    return section in _UNOWNED or (is_link and "packaged-by" not in facts)


def _is_followed(path: str, kind: str, closure: _Closure) -> bool:
    """True when the application follows a link that leads to nothing."""
    members = closure.belonging.members
    name = path.rpartition("/")[2]
    if kind in _FOR_ALL:
        return True
    if kind == "library":
        return (_MISSING, name) in members
    if kind in ("alternative", "program"):
        return ("alternative", name) in members or name in closure.names
    if kind == "enabled-unit":
        return ("service", name) in members
    if kind == "job":
        return not closure.names.isdisjoint(_BY_PROGRAM["cron"])
    folder = _FOLDER_OF.match(path)
    of = folder["program"] if folder else ""
    return bool(of) and any(each.startswith(of) for each in closure.names)


def _names(lock: Lock, role: Role) -> Iterator[str]:
    """Yield the names of the packages and files that an application uses, and of its command."""
    for member in role.members:
        if member.member_class not in _WEAK:
            yield member.key.rpartition("/")[2].partition(":")[0]
            yield from (step.rpartition("/")[2] for step in member.via.split(STEP)[1:])
    for fact in ("entrypoint", "cmd"):
        yield from _WORD.findall(lock.get("process").get(fact, ""))
