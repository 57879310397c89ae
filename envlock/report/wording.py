"""Wording that all formats share: the subject and values of a change, and groups of changes."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from envlock.diff.drift import EXPECTED, FOUND, Change, ChangeKind, Command, DriftReport, MovedSide
from envlock.diff.filters import SETTING
from envlock.diff.rules import BREAKING
from envlock.model.facts import SECTIONS, Kind, kind_of
from envlock.model.severity import Severity
from envlock.report.visible import shorten, shorten_pair, visible
from envlock.versions.relation import Relation

DIGEST_DIGITS = 12
_VALUE_LIMIT = 200


class ChangeGroups(NamedTuple):
    """The changes of a report in three groups; each that is not out of scope is in exactly one.

    `folded` maps a record to the changes that its own change explains.  The others are `listed`
    when they count against the threshold, or `covered` when policy accepts them: waived, or in the
    baseline.
    """

    listed: tuple[Change, ...]
    folded: Mapping[str, tuple[Change, ...]]
    covered: tuple[Change, ...]

    @classmethod
    def of(cls, report: DriftReport) -> ChangeGroups:
        """Group the changes of `report`; within a group they keep their order."""
        listed: list[Change] = []
        folded: dict[str, list[Change]] = {}
        covered: list[Change] = []
        for change in report.changes:
            if change.is_outside:
                continue
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


def rank(change: Change) -> tuple[int, bool]:
    """Return the sort key of a change: by severity, and what breaks programs first."""
    return change.severity.rank, change.rule not in BREAKING


def worst_first(changes: Iterable[Change]) -> list[Change]:
    """Sort by severity, then what breaks programs first; else changes keep their order."""
    return sorted(changes, key=rank)


def spread_by_rule(changes: Iterable[Change]) -> list[Change]:
    """Sort by severity; within one, the first change of every rule precedes the second of any.

    A list that is cut then shows each kind of problem rather than one kind many times.
    """
    seen: Counter[str] = Counter()
    ranked = []
    for change in worst_first(changes):
        ranked.append(((change.severity.rank, seen[change.rule], *rank(change)), change))
        seen[change.rule] += 1
    return [change for _, change in sorted(ranked, key=lambda item: item[0])]


def section_title(name: str) -> str:
    """Return the title of a section for people, its name if it is unknown."""
    known = SECTIONS.get(name)
    return known.title if known else visible(name)


def is_setting(change: Change) -> bool:
    """True for a setting inside a changed file."""
    return change.field.startswith(SETTING)


def fact_name(change: Change) -> str:
    """Return the name of the changed fact as people read it, empty for a whole record."""
    if is_setting(change):
        return visible(change.field.removeprefix(SETTING))
    if change.is_unmet:
        return f"expected {visible(change.field.removeprefix(EXPECTED))}"
    if change.field.startswith(FOUND):
        return ""
    if change.field == "sha256" and change.section == "file":
        return "content"
    return visible(change.field)


def subject(change: Change) -> str:
    """Return the record and the fact of a change on one line: ``deb curl:amd64 version``."""
    return " ".join(
        word for word in (change.section, visible(change.key), fact_name(change)) if word
    )


def shown_value(change: Change, text: str, *, limit: int = _VALUE_LIMIT) -> str:
    """Return a value of `change` for people: on one line, digests shortened."""
    if kind_of(change.section, change.field) in (Kind.DIGEST, Kind.PROVENANCE):
        return visible(text.removeprefix("sha256:"))[:DIGEST_DIGITS]
    return shorten(visible(text), limit, mark="…")


def shell_line(commands: Iterable[Command]) -> str:
    """Return commands on one line, quoted for a POSIX shell; empty without any."""
    return " && ".join(map(shlex.join, commands))


def remedy(change: Change) -> str:
    """Return ``fix: COMMANDS``, else ``next: SENTENCE``, else an empty text."""
    if change.fix:
        return f"fix: {shell_line(change.fix)}"
    return f"next: {change.next}" if change.next else ""


_HEXADECIMAL = re.compile(r"(?:sha\d+[:-])?[0-9a-fA-F]{32,128}\Z")


def is_digest(change: Change, text: str) -> bool:
    """True for a digest, of which a few digits are shown."""
    kind = kind_of(change.section, change.field)
    is_origin = kind is Kind.PROVENANCE and _HEXADECIMAL.match(text) is not None
    return kind is Kind.DIGEST or is_origin


def is_opaque(change: Change) -> bool:
    """True for a fact whose values are digests: they say that it differs, not how."""
    values = [value for value in (change.left, change.right) if value]
    return bool(change.field) and (
        kind_of(change.section, change.field) is Kind.DIGEST
        or (bool(values) and all(value.startswith("sha256:") for value in values))
    )


def shown_values(change: Change, *, limit: int = _VALUE_LIMIT) -> tuple[str | None, str | None]:
    """Return both values of `change` for people, None for a missing one.

    Two that are cut are cut around the place where they differ.
    """
    if change.left is None or change.right is None or is_opaque(change):
        left, right = (
            None if text is None else shown_value(change, text, limit=limit)
            for text in (change.left, change.right)
        )
        return left, right
    if kind_of(change.section, change.field) is Kind.PROVENANCE:
        return shown_value(change, change.left), shown_value(change, change.right)
    return shorten_pair(visible(change.left), visible(change.right), limit, mark="…")


def sign(change: Change) -> str:
    """Return one character for the kind of change: ``+ - ~ ?``, or an arrow for a version."""
    if change.relation is Relation.NEWER:
        return "↑"
    if change.relation is Relation.OLDER:
        return "↓"
    return {"added": "+", "removed": "-", "changed": "~", "unknown": "?"}[change.kind.value]


def describe_values(change: Change, report: DriftReport) -> str:
    """Return the values of both sides in a few words: ``1.0 → 1.1, newer on prod``."""
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
    arrow = " → ".join(text or "" for text in shown_values(change))
    if change.relation is Relation.DIFFERS:
        return arrow
    return f"{arrow}, {change.relation.value} on {right_name}"


def changed_on(change: Change, left: str, right: str) -> str:
    """Return which side changed since the common ancestor, empty without an ancestor.

    `left` and `right` are the names of the sides as the format writes them.
    """
    match change.moved:
        case None:
            return ""
        case MovedSide.LEFT:
            return f"changed on {left}"
        case MovedSide.RIGHT:
            return f"changed on {right}"
        case MovedSide.BOTH:
            return "changed on both"


def headline(report: DriftReport) -> str:
    """Return the verdict and the counts on one line."""
    left, right = visible(report.left_name), visible(report.right_name)
    counted = ", ".join(counts(report)) or "nothing differs"
    roles = f" ({visible(', '.join(report.scoping.roles))})" if report.scoping else ""
    return f"{report.result.value.upper()} {left} → {right}{roles}: {counted}"


def counts(report: DriftReport) -> list[str]:
    """Return ``N severity`` for each severity that has changes that count, the worst first."""
    return [
        f"{report.summary[severity.value]} {severity.value}"
        for severity in Severity
        if report.summary.get(severity.value)
    ]


def presence_lines(report: DriftReport) -> list[str]:
    """Return a line for the variables and one for the files that were compared by presence only."""
    found = []
    if count := report.variables_by_presence:
        what = "variable is" if count == 1 else "variables are"
        found.append(
            f"{count} {what} compared by presence only, the value is not recorded:"
            " capture.env-allow or capture.key changes that"
        )
    if count := report.files_by_presence:
        what = "secret file is" if count == 1 else "secret files are"
        found.append(f"{count} {what} compared by presence only, the content is not recorded")
    return found
