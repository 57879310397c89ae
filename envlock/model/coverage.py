"""Coverage: what a collector has read and what it could not; unknown is neither equal nor empty."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Status(StrEnum):
    """How well a collector covered its sections.

    `ABSENT` means that there is nothing to read (no rpm database).  With every status but `OK` and
    `ABSENT` a missing record proves nothing, so a diff says *unknown*.
    """

    OK = "ok"
    PARTIAL = "partial"
    ABSENT = "absent"
    UNREADABLE = "unreadable"
    UNSUPPORTED = "unsupported"
    SKIPPED = "skipped"

    @property
    def is_known(self) -> bool:
        """True when the absence of a record proves the absence of the thing."""
        return self in (Status.OK, Status.ABSENT)


class Gap(NamedTuple):
    """One thing that could not be read: its path or name, and the reason in a few words."""

    where: str
    reason: str


class Coverage(NamedTuple):
    """The coverage of one collector: its status and its gaps."""

    status: Status
    gaps: tuple[Gap, ...] = ()

    @classmethod
    def of(cls, *, found: bool, is_there: bool, gaps: tuple[Gap, ...]) -> Coverage:
        """Return what was covered, by whether there are records, or at least what to read."""
        if gaps:
            return cls(Status.PARTIAL if found else Status.UNREADABLE, gaps)
        return cls(Status.OK if found or is_there else Status.ABSENT)
