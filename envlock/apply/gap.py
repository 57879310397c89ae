"""What a machine lacks: the values that are found, and that a report shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from envlock.model.severity import Severity

Command = tuple[str, ...]
"""A program and its arguments."""


class State(StrEnum):
    """How a machine deviates from a lock."""

    MISSING = "missing"
    WRONG = "wrong"
    """It is there, and otherwise than in the lock."""
    EXTRA = "extra"
    """Only the machine has it."""
    UNKNOWN = "unknown"
    """It could not be read on one side."""


class Need(StrEnum):
    """What a fix takes beside its command."""

    ROOT = "root"
    REBOOT = "reboot"
    RELOGIN = "relogin"
    """It shows in sessions that begin later."""
    ADMIN = "admin"
    """Somebody who looks after the hardware, the kernel or its drivers."""


class Auto(StrEnum):
    """Whether a program may run the fix."""

    YES = "yes"
    ASK = "ask"
    """Only when a person has agreed to this one."""
    NEVER = "never"
    """A person has to do it."""


class Phase(StrEnum):
    """The steps of a machine that joins, in the order in which they have to be taken."""

    MACHINE = "machine"
    SOURCES = "package sources"
    ACCOUNTS = "users and groups"
    PACKAGES = "system packages"
    CHOICES = "alternatives and overrides"
    FILES = "files"
    TRUST = "certificates and locale"
    KERNEL = "kernel settings"
    SERVICES = "services"
    APPS = "applications in images"
    LANGUAGES = "language packages"
    SESSION = "environment of processes"
    HARDWARE = "hardware and drivers"

    @property
    def position(self) -> int:
        """0 for the first step."""
        return _POSITIONS[self]


_POSITIONS = {phase: position for position, phase in enumerate(Phase)}


class Difference(NamedTuple):
    """One difference of a machine from a lock, as a comparison found it.

    `wanted` is the value of the lock, `present` that of the machine, None for no value.  `fix` are
    commands that give the machine what the lock has, and `next` a sentence where there are none.
    `is_newer`: the machine has a later version.  `follows` names the record whose own difference
    explains this one, such as ``deb libc6:amd64``.
    """

    id: str
    section: str
    key: str
    field: str
    state: State
    wanted: str | None
    present: str | None
    severity: Severity
    why: str
    fix: tuple[Command, ...] = ()
    next: str = ""
    is_newer: bool = False
    roles: tuple[str, ...] = ()
    follows: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A difference with its place in the order, what its fix needs, and who may run it.

    `caution` says why `auto` is not `Auto.YES`, empty otherwise.
    """

    difference: Difference
    phase: Phase
    needs: tuple[Need, ...] = ()
    auto: Auto = Auto.NEVER
    caution: str = ""

    @property
    def order(self) -> tuple[int, int]:
        """The sort key: by step, then the most severe first."""
        return self.phase.position, self.difference.severity.rank

    @property
    def is_light(self) -> bool:
        """True for what only the machine has, and what no program notices."""
        found = self.difference
        return found.state is State.EXTRA and found.severity in (Severity.LOW, Severity.INFO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Everything that was found, in the order in which it has to be mended.

    `roles` names the applications that it is about, none when it is about everything; `outside`
    counts the differences that concern none of them.  `notes` are sentences beside the gaps.
    """

    lock: str
    machine: str
    gaps: tuple[Gap, ...]
    roles: tuple[str, ...] = ()
    outside: int = 0
    notes: tuple[str, ...] = ()

    @property
    def counts(self) -> Mapping[State, int]:
        """How many gaps have each state; every state has an entry."""
        found = Counter(gap.difference.state for gap in self.gaps)
        return {state: found[state] for state in State}

    @property
    def is_clean(self) -> bool:
        """True when there is nothing to do and nothing unknown."""
        return not self.gaps

    @property
    def has_work(self) -> bool:
        """True when something is known to be missing, wrong or surplus."""
        return any(gap.difference.state is not State.UNKNOWN for gap in self.gaps)
