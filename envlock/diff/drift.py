"""The result of a comparison: changes with their severity, and the report that holds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from envlock.model.digest import hash_parts
from envlock.model.record import Facts
from envlock.model.scoping import Scoping
from envlock.model.severity import Severity
from envlock.model.text import to_bytes
from envlock.versions.relation import Relation

FOUND = "check:"
"""Prefix of the field of a change that stands for an inconsistency of one side."""

Command = tuple[str, ...]
"""A program and its arguments."""

EXPECTED = "expect:"
"""Prefix of the field of a change that stands for an unmet expectation."""


class ChangeKind(StrEnum):
    """What happened to a record or a fact, seen from left to right."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    UNKNOWN = "unknown"
    """One side was not captured or could not be read: neither equal nor different."""


class ChangeStatus(StrEnum):
    """What policy says about a change."""

    NEW = "new"
    WAIVED = "waived"
    BASELINE = "baseline"
    EXPIRED_WAIVER = "expired-waiver"

    @property
    def counts(self) -> bool:
        """True when the change counts towards the threshold."""
        return self in (ChangeStatus.NEW, ChangeStatus.EXPIRED_WAIVER)


class MovedSide(StrEnum):
    """Which side differs from the common base, in a comparison of three."""

    LEFT = "left"
    RIGHT = "right"
    BOTH = "both"


class NoteKind(StrEnum):
    """What a note is about: a part of the policy without effect, or what was not compared."""

    STALE_WAIVER = "stale-waiver"
    """A waiver of this pair for a difference that no longer exists or has other values."""
    STALE_BASELINE = "stale-baseline"
    """Differences in the baseline that no longer exist; `--update-baseline` removes them."""
    UNUSED_EXPECTATION = "unused-expectation"
    """An expectation that matches no record of either side."""
    UNDECIDED_EXPECTATION = "undecided-expectation"
    """An expectation that cannot be judged: a secret, an unread section, versions without order."""
    NOT_COMPARED = "not-compared"
    """Files that were not compared, since a side was captured without ``--deep``."""
    SCOPE = "scope"
    """Applications that were not compared, or why everything was; the lines that declare a root."""


class Result(StrEnum):
    """The verdict of a comparison.

    `INCONCLUSIVE` if a required section was not covered, or if every change is unknown: then
    neither drift nor its absence is proved.
    """

    EQUAL = "equal"
    DRIFT = "drift"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference, with its severity, reason and fix.

    `id` is a stable fingerprint of (section, key, field, kind), values excluded.  `field` is the
    name of a fact, empty for a whole record, ``content:KEYPATH`` for a setting inside a changed
    file, or ``expect:DEMAND`` for an unmet expectation of policy; that one always has the kind
    `CHANGED`, even if both sides are equal.  `left` and `right` are None if there is no value.
    `fix` are the commands that, run on the right side in this order, give it what the left one has;
    if there are none, `next` is a sentence that says what to do.
    `explained_by` names the record whose own change explains this one (``deb libc6:amd64``,
    ``file /etc/hosts``), else it is empty.  `policy` says why the status is not `NEW`: until when
    the change is waived, and the reason.  `moved` says which side differs from the base, None
    without a base or if that is unknown.  `bound` holds the digests of the two values if policy
    needs them, see `envlock.diff.policy.bind`.  `scope` names the roles that it concerns, none when
    it concerns no application; it is None where everything is compared, and for what policy
    demands.  `via` is the edge that brought the record into the closure of the first of them.
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
    fix: tuple[Command, ...] = ()
    next: str = ""
    explained_by: str = ""
    status: ChangeStatus = ChangeStatus.NEW
    policy: str = ""
    moved: MovedSide | None = None
    bound: tuple[str, str] = ("", "")
    scope: tuple[str, ...] | None = None
    via: str = ""

    @property
    def counts(self) -> bool:
        """True when it counts: policy does not cover it, and it is not outside of the scope."""
        return self.status.counts and not self.is_outside

    @property
    def is_outside(self) -> bool:
        """True when the comparison is about applications, and it concerns none of them."""
        return self.scope == ()

    @property
    def record(self) -> str:
        """The record that it is about, as `explained_by` names it."""
        return f"{self.section} {self.key}"

    @property
    def is_unmet(self) -> bool:
        """True when it stands for an unmet expectation of policy."""
        return self.field.startswith(EXPECTED)


class Note(NamedTuple):
    """One line beside the changes.

    `subject` is the id of the waiver, names the expectation, or the environments.
    """

    kind: NoteKind
    subject: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """Everything a renderer needs; filters and policy have been applied.

    `hidden` counts what was left out: by file class (``cache``, ``log``...), ``ignored``,
    ``expected``, or the name of the preset.  `summary` counts the changes of each severity that
    policy does not cover and no other change explains.  `parity` is the share of equal records and
    paths, in percent with one decimal, 100.0 only if all are equal.  `notes` are about parts of the
    policy, and what was not compared; they never change the result.  `variables_by_presence`
    and `files_by_presence` count what both sides have and whose values or content no lock records:
    only its presence was compared.  `base_name` is empty unless three were compared.  `scoping`
    says which applications were compared, None for everything; with it, result, summary and parity
    are about them, and `outside` counts the rest.
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
    variables_by_presence: int = 0
    files_by_presence: int = 0
    scoping: Scoping | None = None

    @property
    def outside(self) -> Mapping[str, int]:
        """How many changes of each severity concern no application and follow from no other."""
        found = [c for c in self.changes if c.is_outside and c.status.counts and not c.explained_by]
        return count_by_severity(found)


class Delta(NamedTuple):
    """A difference before a rule gives it a severity.

    `facts` are those of the record on the right, else on the left; rules may use them.  `note`
    replaces the rule's reason if it is set.  `special_rule` names the rule
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
        """The record that it is about, as `explained_by` names it."""
        return f"{self.section} {self.key}"

    @property
    def id(self) -> str:
        """The fingerprint: 12 hex digits that do not depend on the values."""
        return fingerprint(self.section, self.key, self.field, self.kind)


def fingerprint(section: str, key: str, field: str, kind: ChangeKind) -> str:
    """Return the 12 hex digits that identify a difference for people and in files."""
    parts = (section, key, field, kind.value)
    return hash_parts(*map(to_bytes, parts)).hex()[:12]


def summarize(changes: Iterable[Change]) -> dict[str, int]:
    """Return how many changes of each severity count; every severity has an entry."""
    return count_by_severity(c for c in changes if c.counts and not c.explained_by)


def count_by_severity(changes: Iterable[Change]) -> dict[str, int]:
    """Return how many changes have each severity; every severity has an entry."""
    counts = dict.fromkeys(map(str, Severity), 0)
    for change in changes:
        counts[change.severity.value] += 1
    return counts


def judge(changes: Iterable[Change], *, uncovered: bool = False) -> Result:
    """Return the verdict; `uncovered` means that a required section was not covered."""
    counted = [change for change in changes if change.counts]
    if uncovered:
        return Result.INCONCLUSIVE
    if not counted:
        return Result.EQUAL
    known = any(change.kind is not ChangeKind.UNKNOWN for change in counted)
    return Result.DRIFT if known else Result.INCONCLUSIVE


def exceeds(report: DriftReport, level: Severity | None) -> bool:
    """True when there is drift at or above `level`; never for None.  Unknown is not drift."""
    return any(fails(change, level) for change in report.changes)


def fails(change: Change, level: Severity | None) -> bool:
    """True when a change reaches the threshold `level`."""
    return (
        level is not None
        and change.severity.rank <= level.rank
        and change.kind is not ChangeKind.UNKNOWN
        and change.counts
    )
