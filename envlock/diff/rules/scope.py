"""Severities in the scope of an application: what a difference means for it, not for the machine.

The first row that matches changes the severity that the rules gave, to at most or at least its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from envlock.diff.drift import FOUND, Change, ChangeKind
from envlock.diff.rules.rule import Rule
from envlock.model.facts import packages_of
from envlock.model.scope import Member, MemberClass
from envlock.model.severity import Severity
from envlock.versions.relation import Relation

SECTION = "scope"
"""The section of the one difference that says which members only one side's application needs."""

SCOPE_RULES: tuple[Rule, ...] = (
    Rule(
        id="SCOPE-ROOT",
        severity=Severity.HIGH,
        breaks=True,
        sections=(SECTION,),
        when=lambda delta: not delta.field,
        why="{key} begins there, and the other side has nothing in that place",
        next="install it on the other side, or declare where {key} begins there",
        source="the declared roots of both sides",
    ),
    Rule(
        id="SCOPE-MEMBERS",
        severity=Severity.LOW,
        sections=(SECTION,),
        why="both sides have these, and the application {key} needs them on one side only",
        next="`envlock explain 'SECTION KEY' LOCK` prints the chain that leads to each",
        source="the closures of both sides",
    ),
    Rule(
        id="COMPONENT-MISSING",
        severity=Severity.MEDIUM,
        sections=("component",),
        fields=("",),
        kinds=(ChangeKind.REMOVED,),
        why="no package of {right_name} has been found to stand for it",
        next="install on {right_name} what has {key}",
        source="ELF DT_SONAME; the sources of packages",
    ),
    Rule(
        id="COMPONENT-EXTRA",
        severity=Severity.INFO,
        sections=("component",),
        fields=("",),
        kinds=(ChangeKind.ADDED,),
        why="no package of {left_name} has been found to stand for it",
        next="leave it, unless the application finds it by accident",
        source="ELF DT_SONAME; the sources of packages",
    ),
    Rule(
        id="COMPONENT-OLDER",
        severity=Severity.MEDIUM,
        sections=("component",),
        relation=Relation.OLDER,
        why="older on {right_name}: fixes and features may be missing",
        next="compare what the distributions have fixed in their packages of {key}",
        source="upstream versions, without epoch and revision",
    ),
    Rule(
        id="COMPONENT",
        severity=Severity.LOW,
        sections=("component",),
        why="another upstream version of what two distributions package",
        next="leave it, unless the application depends on the version",
        source="upstream versions, without epoch and revision",
    ),
)

_PACKAGES = frozenset(packages_of())
_NEEDED = (MemberClass.LINKED, MemberClass.LOADED, MemberClass.DECLARED, MemberClass.TRACED)
_UNOWNED = ("file", "software")
"""Sections of files that no package owns."""


class Case(NamedTuple):
    """A difference in scope: its change, and the member of the closure that its record is.

    `member` is None for what only belongs to a member.  `breaks`: by its rule it stops a program.
    """

    change: Change
    member: Member | None
    breaks: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """One row: when it applies, and the severity that a difference then has.

    `most` and `least` limit the severity, None for no limit.  `what` is the condition `when` in
    words, and `why` the reason.
    """

    what: str
    why: str
    when: Callable[[Case], bool]
    most: Severity | None = None
    least: Severity | None = None

    def apply(self, severity: Severity) -> Severity:
        """Return a severity within the limits of the row."""
        if self.most is not None and severity.rank < self.most.rank:
            return self.most
        if self.least is not None and severity.rank > self.least.rank:
            return self.least
        return severity


def _only_depends(case: Case) -> bool:
    member = case.member
    is_weak = member is not None and member.member_class is MemberClass.DEPENDS
    is_gone = case.change.kind is ChangeKind.REMOVED and not case.change.field
    return is_weak and (is_gone or not case.breaks)


def _is_base(case: Case) -> bool:
    change, member, _ = case
    return (
        change.section == "python"
        and "/" not in change.key
        and not change.field
        and member is not None
        and member.member_class is MemberClass.LOADED
    )


def _is_missing(case: Case) -> bool:
    change, member, _ = case
    return (
        change.kind is ChangeKind.REMOVED
        and not change.field
        and change.section in _PACKAGES
        and member is not None
        and member.member_class in _NEEDED
    )


def _is_extra(case: Case) -> bool:
    return case.change.kind is ChangeKind.ADDED and not case.change.field and not case.breaks


def _is_unowned_library(case: Case) -> bool:
    change, member, _ = case
    return (
        change.kind in (ChangeKind.ADDED, ChangeKind.REMOVED)
        and not change.field
        and change.section in _UNOWNED
        and member is not None
        and member.member_class is MemberClass.LINKED
    )


def _is_machine(case: Case) -> bool:
    return case.change.section.startswith("host.") and case.change.severity is Severity.MEDIUM


def _is_release(case: Case) -> bool:
    return case.change.rule in ("OS-FAMILY", "OS-RELEASE")


def _is_owner(case: Case) -> bool:
    return case.change.section == "file" and case.change.field == "owner"


ADJUSTMENTS = (
    Adjustment(
        what="the interpreter that an environment is made from, with nothing in it that is used",
        why="the other side has another; versions are compared with the environment",
        when=_is_base,
        most=Severity.LOW,
    ),
    Adjustment(
        what="the other side lacks what the application loads or declares",
        why="the application is likely not to start, or to fail where it uses it",
        when=_is_missing,
        least=Severity.HIGH,
    ),
    Adjustment(
        what="the loader takes a library on one side that no package there owns",
        why="another file, or none, is loaded on the other side",
        when=_is_unowned_library,
        least=Severity.HIGH,
    ),
    Adjustment(
        what="a package only depends on it by its metadata",
        why="nothing shows that the application uses it",
        when=_only_depends,
        most=Severity.LOW,
    ),
    Adjustment(
        what="only the right side has it",
        why="the application runs without it on the left",
        when=_is_extra,
        most=Severity.LOW,
    ),
    Adjustment(
        what="a lesser difference of kernel, processor or settings of the machine",
        why="machines differ, and what the application needs of them is judged by rules of its own",
        when=_is_machine,
        most=Severity.LOW,
    ),
    Adjustment(
        what="another distribution, or another release of it",
        why="what the application needs of it is compared by itself",
        when=_is_release,
        most=Severity.MEDIUM,
    ),
    Adjustment(
        what="the owner of a file",
        why="accounts have other numbers on other machines",
        when=_is_owner,
        most=Severity.INFO,
    ),
)
"""The rows in the order in which they are tried."""


def is_inconsistency(change: Change) -> bool:
    """True for what is wrong with one side by itself."""
    return change.field.startswith(FOUND)
