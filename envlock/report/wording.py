"""What every format says alike of a change: its subject, its values, and which changes belong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from envlock.diff.drift import EXPECTED, Change, ChangeKind, DriftReport, Severity
from envlock.diff.filters import SETTING
from envlock.model.facts import SECTIONS, Kind, kind_of
from envlock.report.visible import shorten, visible
from envlock.versions.relation import Relation

DIGEST_DIGITS = 12
_VALUE_LIMIT = 200


class Parts(NamedTuple):
    """The changes of a report by the part they play; every one is in exactly one of these.

    `folded` maps a record to the changes that its own change explains; of the others `listed` count
    and `covered` are those that policy covers, waived or in the baseline.
    """

    listed: tuple[Change, ...]
    folded: Mapping[str, tuple[Change, ...]]
    covered: tuple[Change, ...]

    @classmethod
    def of(cls, report: DriftReport) -> Parts:
        """Return the changes of `report` sorted out, each part in the report's order."""
        listed: list[Change] = []
        folded: dict[str, list[Change]] = {}
        covered: list[Change] = []
        for change in report.changes:
            if change.explained_by:
                folded.setdefault(change.explained_by, []).append(change)
            elif change.status.counts:
                listed.append(change)
            else:
                covered.append(change)
        return cls(
            tuple(listed),
            {record: tuple(found) for record, found in folded.items()},
            tuple(covered),
        )


def worst_first(changes: Iterable[Change]) -> list[Change]:
    """Return the changes by severity, those of one severity in their order."""
    return sorted(changes, key=lambda change: change.severity.rank)


def varied(changes: Iterable[Change]) -> list[Change]:
    """Return the changes by severity and, of one severity, the first of each rule before seconds.

    What stands first then tells of each kind of trouble, not of one kind many times.
    """
    seen: Counter[str] = Counter()
    placed = []
    for change in worst_first(changes):
        placed.append((change.severity.rank, seen[change.rule], change))
        seen[change.rule] += 1
    return [change for _, _, change in sorted(placed, key=lambda item: item[:2])]


def section_title(name: str) -> str:
    """Return how a section is called for people."""
    known = SECTIONS.get(name)
    return known.title if known else visible(name)


def is_setting(change: Change) -> bool:
    """True for a place inside a changed file."""
    return change.field.startswith(SETTING)


def fact_name(change: Change) -> str:
    """Return how a fact is called beside its record; nothing for a whole record."""
    if is_setting(change):
        return visible(change.field.removeprefix(SETTING))
    if change.is_unmet:
        return f"expected {visible(change.field.removeprefix(EXPECTED))}"
    if change.field == "sha256" and change.section == "file":
        return "content"
    return visible(change.field)


def subject(change: Change) -> str:
    """Return what a change is about, on one line: ``deb curl:amd64 version``."""
    return " ".join(
        word for word in (change.section, visible(change.key), fact_name(change)) if word
    )


def shown_value(change: Change, text: str, *, limit: int = _VALUE_LIMIT) -> str:
    """Return a value of `change` as people read it: one line, digests by their first digits."""
    if kind_of(change.section, change.field) in (Kind.DIGEST, Kind.PROVENANCE):
        return visible(text.removeprefix("sha256:"))[:DIGEST_DIGITS]
    return shorten(visible(text), limit, mark="…")


def sign(change: Change) -> str:
    """Return one character for what happened: ``+ - ~ ?``, or an arrow for a version."""
    if change.relation is Relation.NEWER:
        return "↑"
    if change.relation is Relation.OLDER:
        return "↓"
    return {"added": "+", "removed": "-", "changed": "~", "unknown": "?"}[change.kind.value]


def happening(change: Change, report: DriftReport) -> str:
    """Return what happened, in a few words: ``1.0 → 1.1, newer on prod``."""
    left_name, right_name = visible(report.left_name), visible(report.right_name)
    if change.kind is ChangeKind.UNKNOWN and (change.left is None or change.right is None):
        here, there = (left_name, right_name) if change.right is None else (right_name, left_name)
        known = shown_value(change, change.left or change.right or "")
        return f"{known} on {here}, unknown on {there}".lstrip()
    if change.left is None or change.right is None:
        here = right_name if change.left is None else left_name
        value = shown_value(change, change.left or change.right or "")
        return f"{value}, only on {here}" if value else f"only on {here}"
    if change.left == change.right:
        return f"{shown_value(change, change.left)} on both sides"
    arrow = f"{shown_value(change, change.left)} → {shown_value(change, change.right)}"
    if change.relation is Relation.DIFFERS:
        return arrow
    return f"{arrow}, {change.relation.value} on {right_name}"


def headline(report: DriftReport) -> str:
    """Return the verdict and the counts on one line."""
    left, right = visible(report.left_name), visible(report.right_name)
    counted = ", ".join(counts(report)) or "nothing differs"
    return f"{report.result.value.upper()} {left} → {right}: {counted}"


def counts(report: DriftReport) -> list[str]:
    """Return how many changes of each severity count, the worst first, without zeros."""
    return [
        f"{report.summary[severity.value]} {severity.value}"
        for severity in Severity
        if report.summary.get(severity.value)
    ]


def remarks(report: DriftReport) -> list[str]:
    """Return what stands beside the changes: notes of policy, and what was left out."""
    found = [visible(f"{note.kind.value}: {note.text}") for note in report.notes]
    if report.hidden:
        hidden = ", ".join(f"{count} {visible(name)}" for name, count in report.hidden.items())
        found.append(f"hidden: {hidden}")
    return found
