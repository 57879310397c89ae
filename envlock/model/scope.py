"""Scope: the applications of an environment, and what each of them needs.

A *root* is where an application begins: an interpreter's environment, a program, a service, a
process.  A *role* is the name that a root has in every environment.  The *closure* of a role is
everything that is reachable from its root along needs edges; each *member* keeps the edge that
brought it in.  A lock holds them in its section ``scope``: the record ``ROLE`` has the root, the
record ``ROLE/SECTION:KEY`` a member.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple, Self

from envlock.model.lock import Lock
from envlock.model.record import Record

SECTION = "scope"
FAILED = "nothing was found from here on"
"""How the reason of the gap begins where the search for what is needed failed."""
STEP = " → "
"""What separates the steps of `Member.via`."""

EVERY = "*"
"""The key of a member that stands for all records of its section: all trusted certificates."""

BUILT_WHERE_INSTALLED = ("gem", "npm", "pear", "perl", "r")
"""Sections of packages whose compiled files are made or chosen when they are installed: the same
version may have other ones, and no record states their digests."""

_ROLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")


class RootKind(StrEnum):
    """How a root is written: ``KIND:ARGUMENT``, or the kind alone where it has no argument."""

    PYTHON = "python"
    """A Python environment: its directory, or its interpreter."""
    CONDA = "conda"
    """A conda environment: its directory."""
    NODE = "node"
    """A Node application: a directory with package.json or node_modules."""
    EXE = "exe"
    """A program: a path, or a name that is searched on the PATH."""
    SERVICE = "service"
    """A systemd unit, by name, with or without ``.service``."""
    PROCESS = "process"
    """What the container, the image or the process runs."""
    PID = "pid"
    """A running process of this machine, by number."""
    PACKAGE = "package"
    """An installed package of the operating system, by name."""
    DIR = "dir"
    """A directory: every program, library and script below it."""
    TRACE = "trace"
    """A file that `envlock trace` wrote."""


class Root(NamedTuple):
    """Where an application begins; `argument` is empty for `RootKind.PROCESS`."""

    kind: RootKind
    argument: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the root that a text names.  Raise ValueError saying what is wrong with it."""
        kind, colon, argument = text.partition(":")
        try:
            found = RootKind(kind)
        except ValueError:
            known = ", ".join(f"{each}:" if _has_argument(each) else each for each in RootKind)
            raise ValueError(f"not a kind of root: {kind!r} (known are {known})") from None
        if bool(argument) is not _has_argument(found) or (colon and not argument):
            form = f"{found}:…" if _has_argument(found) else f"{found} alone"
            raise ValueError(f"not a root: {text!r}; write {form}")
        if not argument.isprintable():
            raise ValueError(f"not a root: {text!r} has a control character")
        return cls(found, argument)

    def __str__(self) -> str:
        """Return the text that `parse` reads."""
        return f"{self.kind}:{self.argument}" if self.argument else str(self.kind)


def _has_argument(kind: RootKind) -> bool:
    return kind is not RootKind.PROCESS


def is_role(name: str) -> bool:
    """True for a valid name of a role: letters, digits, dots, dashes and underscores."""
    return _ROLE.match(name) is not None


def parse_assignment(text: str) -> tuple[str, str]:
    """Return role and root of ``ROLE=ROOT``.  Raise ValueError saying what is wrong with it."""
    role, equals, root = text.partition("=")
    if not equals:
        raise ValueError(f"not ROLE=ROOT: {text!r}")
    if not is_role(role):
        raise ValueError(f"not a name of a role: {role!r}; use letters, digits, dots, dashes")
    return role, str(Root.parse(root))


class MemberClass(StrEnum):
    """How a member came into the closure, the strongest first."""

    DECLARED = "declared"
    """It is the root itself, or the root says it needs it: metadata, a unit, a ``#!`` line."""
    LINKED = "linked"
    """The loader picks it for a file of the closure."""
    LOADED = "loaded"
    """Known to be loaded or read by name at run time: a row of a table with sources."""
    TRACED = "traced"
    """A recorded run touched it."""
    ALWAYS = "always"
    """Every program needs it: the system, its C library, locale data, certificates, variables."""
    DEPENDS = "depends"
    """A package of the closure depends on it by its metadata alone; the weakest class."""

    @property
    def rank(self) -> int:
        """The position of the class, 0 for the strongest."""
        return list(MemberClass).index(self)


class Member(NamedTuple):
    """A record of the lock that an application needs.

    `key` is `EVERY` for all records of the section.  `via` is the edge that brought it in, one hop
    between records: ``python:app/cryptography → _rust.abi3.so → libssl.so.3``, empty for what
    nothing brought in.  `sha256` is the digest of a program or library that has no other record
    with one, else empty.
    """

    section: str
    key: str
    member_class: MemberClass
    via: str = ""
    sha256: str = ""

    @property
    def name(self) -> str:
        """The member as `via` and the keys of the lock name it: ``deb:libssl3:amd64``."""
        return f"{self.section}:{self.key}"


class Role(NamedTuple):
    """A role of one environment, its root, and its closure in the order of the lock."""

    name: str
    root: Root
    members: tuple[Member, ...] = ()
    assumed: bool = False
    """True when nobody declared it: envlock took what the container or image runs, or what is most
    like the application of another side."""

    @property
    def is_found(self) -> bool:
        """True when there is more than what every application needs: the root exists."""
        return any(member.member_class is not MemberClass.ALWAYS for member in self.members)


def roles_of(lock: Lock) -> Mapping[str, Role]:
    """Return the roles that a lock holds, by name; records of no known form are left out."""
    roots: dict[str, Role] = {}
    members: dict[str, list[Member]] = {}
    for key, facts in lock.sections.get(SECTION, {}).items():
        role, slash, name = key.partition("/")
        section, colon, of = name.partition(":")
        try:
            if not slash:
                root = Root.parse(facts.get("root", ""))
                roots[role] = Role(role, root, assumed="assumed" in facts)
            elif colon:
                found = MemberClass(facts.get("class", ""))
                member = Member(section, of, found, facts.get("via", ""), facts.get("sha256", ""))
                members.setdefault(role, []).append(member)
        except ValueError:
            continue
    return {
        name: role._replace(members=tuple(members.get(name, ()))) for name, role in roots.items()
    }


def scope_records(roles: Iterable[Role]) -> Iterator[Record]:
    """Yield the records of the section ``scope``."""
    for role in roles:
        facts = {"root": str(role.root)}
        if role.assumed:
            facts["assumed"] = "true"
        yield Record(SECTION, role.name, facts)
        for member in role.members:
            facts = {
                "class": member.member_class.value,
                "via": member.via,
                "sha256": member.sha256,
            }
            stated = {name: value for name, value in facts.items() if value}
            yield Record(SECTION, f"{role.name}/{member.name}", stated)
