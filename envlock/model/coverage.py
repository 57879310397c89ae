"""What was looked at and what was not: unknown is not equal, and not empty."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Status(StrEnum):
    """How well a collector covered its sections.

    `ABSENT` means looked and found nothing to read (no rpm database); the last three mean that
    nothing is known, so a diff across them says *unknown*.
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
    """One thing that could not be read: the path or name, and why in a few words."""

    where: str
    reason: str


class Coverage(NamedTuple):
    """Coverage of one collector: its status and, for a hole, how many gaps and the first reason."""

    status: Status
    gaps: tuple[Gap, ...] = ()
