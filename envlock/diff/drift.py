"""What a comparison found: changes with their severity, and the report that holds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from envlock.model.digest import hash_parts
from envlock.model.record import Facts
from envlock.model.text import to_bytes
from envlock.versions.relation import Relation

EXPECTED = "expect:"
"""What the field of an expectation that is not met starts with."""


class ChangeKind(StrEnum):
    """What happened to a record or a fact, seen from left to right."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    UNKNOWN = "unknown"
    """One side was not looked at or could not be read: neither equal nor different."""


class Severity(StrEnum):
    """How much a change matters, most severe first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the most severe."""
        return _RANKS[self]


_RANKS: Mapping[str, int] = {severity: rank for rank, severity in enumerate(Severity)}


class ChangeStatus(StrEnum):
    """What policy says of a change."""

    NEW = "new"
    WAIVED = "waived"
    BASELINE = "baseline"
    EXPIRED_WAIVER = "expired-waiver"

    @property
    def counts(self) -> bool:
        """True when the change stands against the threshold."""
        return self in (ChangeStatus.NEW, ChangeStatus.EXPIRED_WAIVER)


class MovedSide(StrEnum):
    """Who left the common base, in a comparison of three."""

    LEFT = "left"
    RIGHT = "right"
    BOTH = "both"


class NoteKind(StrEnum):
    """What a note is about: parts of the policy that did nothing, or could not do their part."""

    STALE_WAIVER = "stale-waiver"
    """A waiver of this pair that no difference needs any more, or whose values moved."""
    STALE_BASELINE = "stale-baseline"
    """Differences of the baseline that are gone; `--update-baseline` drops them."""
    UNUSED_EXPECTATION = "unused-expectation"
    """An expectation that no record of either side is about."""
    UNDECIDED_EXPECTATION = "undecided-expectation"
    """An expectation that cannot be judged: a secret, an unread section, no order of versions."""


class Result(StrEnum):
    """The verdict.

    `INCONCLUSIVE` when a required section was not covered, or when all that was found is unknown:
    nothing proves drift and nothing proves its absence.
    """

    EQUAL = "equal"
    DRIFT = "drift"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference, explained.

    `id` is a stable fingerprint of (section, key, field, kind), values excluded.  `field` is a
    fact's name, empty for a whole record, ``content:KEYPATH`` for a place inside a changed file,
    or ``expect:RELATION`` for an expectation of policy that is not met; that one has the kind
    `CHANGED` whatever the sides have, which may be equal.  `left` and `right` are None where there
    is no value.  `explained_by` names the record whose own change accounts for this one
    (``deb libc6:amd64``, ``file /etc/hosts``), else empty.  `policy` tells why the status is not
    `NEW`: until when it is waived and for what reason.  `moved` is None unless a base was given
    and tells who left it.  `bound` holds the digests of the two values, see
    `envlock.diff.policy.bind`, where policy needs them.
    """

    id: str
    section: str
    key: str
    field: str
    kind: ChangeKind
    left: str | None
    right: str | None
    relation: Relation
    severity: Severity
    rule: str
    why: str
    fix: str
    explained_by: str = ""
    status: ChangeStatus = ChangeStatus.NEW
    policy: str = ""
    moved: MovedSide | None = None
    bound: tuple[str, str] = ("", "")

    @property
    def record(self) -> str:
        """The record it is about, as `explained_by` names records."""
        return f"{self.section} {self.key}"

    @property
    def is_unmet(self) -> bool:
        """True when it is an expectation of policy that is not met."""
        return self.field.startswith(EXPECTED)


class Note(NamedTuple):
    """One line beside the changes: `subject` is the id of the waiver, or names the expectation."""

    kind: NoteKind
    subject: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """Everything a renderer needs; filters and policy have acted.

    `hidden` counts what was left out: by file class (``cache``, ``log``...), ``ignored``,
    ``expected``, or the name of the preset.  `notes` tell of stale parts of the policy; they never
    change the verdict.  `base_name` is empty unless three were compared.
    `summary` counts the changes of each severity that policy does not cover and no other change
    explains: nothing counts twice.  `parity` is the
    share of records and paths that are equal, in percent with one decimal, 100.0 only if all are.
    """

    result: Result
    left_name: str
    right_name: str
    changes: tuple[Change, ...]
    hidden: Mapping[str, int]
    summary: Mapping[str, int]
    parity: float
    notes: tuple[Note, ...] = ()
    base_name: str = ""


class Delta(NamedTuple):
    """A difference before it is judged.

    `facts` are those of the record on the right, else on the left: what rules may look at.
    `note` replaces the rule's reason where the engine knows better.  `special_rule` names the rule
    of `envlock.diff.rules.SPECIAL_RULES` that decides instead of the first that matches, and
    `severity` replaces that rule's own.  `below` are the differences folded into a directory.
    """

    section: str
    key: str
    field: str
    kind: ChangeKind
    left: str | None
    right: str | None
    facts: Facts
    relation: Relation = Relation.DIFFERS
    explained_by: str = ""
    note: str = ""
    special_rule: str = ""
    severity: Severity | None = None
    below: tuple[Delta, ...] = ()

    @property
    def record(self) -> str:
        """The record it is about, as `explained_by` names records."""
        return f"{self.section} {self.key}"

    @property
    def id(self) -> str:
        """12 hex digits that name this difference whatever its values are."""
        return fingerprint(self.section, self.key, self.field, self.kind)


def fingerprint(section: str, key: str, field: str, kind: ChangeKind) -> str:
    """Return the 12 hex digits by which people and files name a difference."""
    parts = (section, key, field, kind.value)
    return hash_parts(*map(to_bytes, parts)).hex()[:12]


def summarize(changes: Iterable[Change]) -> dict[str, int]:
    """Return how many changes of each severity count; every severity is there."""
    counts = dict.fromkeys(map(str, Severity), 0)
    for change in changes:
        if change.status.counts and not change.explained_by:
            counts[change.severity.value] += 1
    return counts


def judge(changes: Iterable[Change], *, uncovered: bool = False) -> Result:
    """Return the verdict; `uncovered` tells that a required section was not covered."""
    counted = [change for change in changes if change.status.counts]
    if uncovered:
        return Result.INCONCLUSIVE
    if not counted:
        return Result.EQUAL
    known = any(change.kind is not ChangeKind.UNKNOWN for change in counted)
    return Result.DRIFT if known else Result.INCONCLUSIVE


def exceeds(report: DriftReport, level: Severity | None) -> bool:
    """True when there is drift at or above `level`; None is never.  Unknown is not drift."""
    return any(fails(change, level) for change in report.changes)


def fails(change: Change, level: Severity | None) -> bool:
    """True for a change that stands against the threshold `level`, the one that decides."""
    return (
        level is not None
        and change.severity.rank <= level.rank
        and change.kind is not ChangeKind.UNKNOWN
        and change.status.counts
    )
