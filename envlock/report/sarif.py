"""Report for code scanning: SARIF 2.1.0 (OASIS), every change at a line of a lockfile.

A change that another change explains is not a result of its own: its id is listed in the properties
of that other one, so an upgraded package with a thousand files is one result.  A change that policy
covers is a suppressed result.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote

from envlock import __version__
from envlock.diff.drift import Change, ChangeKind, ChangeStatus, DriftReport, Result
from envlock.diff.severity import explain
from envlock.errors import UsageError
from envlock.model.severity import Severity
from envlock.model.text import escape
from envlock.report.input import PairInput
from envlock.report.scope import note_lines, roles_document
from envlock.report.source_location import LockTexts
from envlock.report.visible import visible
from envlock.report.wording import (
    ChangeGroups,
    describe_values,
    headline,
    remedy,
    subject,
    worst_first,
)

MAX_RESULTS = 25_000
"""Code scanning at GitHub refuses a run with more results, and keeps the 5,000 worst."""

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: Mapping[Severity, str] = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
_ANY: Mapping[str, str] = {
    "key": "it",
    "package": "the package",
    "field": "the fact",
    "left": "the left value",
    "right": "the right value",
    "left_name": "the left side",
    "right_name": "the right side",
}
"""Values for the placeholders of a rule's text where it describes the rule, not one change."""


def render_sarif(given: PairInput) -> str:
    """Return a SARIF log with one run, the worst result first."""
    report, locks = given.report, given.lock_texts()
    groups = ChangeGroups.of(report)
    folded = dict(groups.folded)
    shown = [(c, folded.pop(c.record, ())) for c in (*groups.listed, *groups.covered)]
    # The change that explains these is not in the report, so each is a result of its own.
    shown += [(change, ()) for orphans in folded.values() for change in orphans]
    shown.sort(key=lambda pair: (not pair[0].status.counts, pair[0].severity.rank))
    kept = shown[:MAX_RESULTS]
    rules = _rules(change for change, _ in kept)
    rule_index = {rule: index for index, rule in enumerate(rules)}
    run = {
        "tool": {"driver": _driver(rules)},
        "automationDetails": {"id": _uri(f"envlock/{report.left_name}..{report.right_name}/")},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The root of the project."}}},
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": _notifications(report, len(shown) - len(kept)),
            }
        ],
        "properties": {
            "result": report.result.value,
            "parity": report.parity,
            "summary": dict(report.summary),
            "hidden": {escape(name): count for name, count in report.hidden.items()},
            "scope": roles_document(report),
            "outside": dict(report.outside),
        },
    }
    results = [
        json.dumps(_result(change, explains, report, locks, rule_index))
        for change, explains in kept
    ]
    # One result a line keeps a textual diff of two logs readable.
    listed = ",\n".join(results)
    head = json.dumps({"$schema": _SCHEMA, "version": "2.1.0"})[:-1]
    return f'{head}, "runs": [{json.dumps(run)[:-1]}, "results": [\n{listed}\n]}}]}}\n'


def _rules(changes: Iterable[Change]) -> dict[str, Change]:
    """Return the ids of the rules in use, each with the first change it judges."""
    found: dict[str, Change] = {}
    for change in changes:
        found.setdefault(change.rule, change)
    return dict(sorted(found.items()))


def _driver(rules: Mapping[str, Change]) -> dict[str, object]:
    return {
        "name": "envlock",
        "semanticVersion": __version__,
        "rules": [_descriptor(rule, change) for rule, change in rules.items()],
    }


def _descriptor(rule: str, change: Change) -> dict[str, object]:
    try:
        known = explain(rule)
    except UsageError:  # a rule of the project's own policy
        severity, text = change.severity, visible(change.why)
        source = "the policy in envlock.toml"
    else:
        severity, source = known.severity, known.source
        text = known.why.format_map(_ANY)
    name = "".join(word.capitalize() for word in rule.replace("_", "-").split("-"))
    return {
        "id": rule,
        "name": name,
        "shortDescription": {"text": _message(text)},
        "fullDescription": {"text": _message(f"{text} (from: {source})")},
        "help": {
            "text": _message(f"{text}. Source: {source}. Run: envlock explain {rule}"),
            "markdown": _message(f"{text}.\n\nSource: {source}.\n\n    envlock explain {rule}\n"),
        },
        "defaultConfiguration": {"level": _LEVELS[severity]},
        "properties": {"tags": ["drift", change.section], "severity": severity.value},
    }


def _result(
    change: Change,
    explains: Iterable[Change],
    report: DriftReport,
    locks: LockTexts,
    rule_index: Mapping[str, int],
) -> dict[str, object]:
    path, line = locks.locate(change)
    text = f"{subject(change)}: {describe_values(change, report)}. {visible(change.why)}."
    text = " ".join(filter(None, (text, visible(remedy(change)))))
    physical = {
        "artifactLocation": {"uri": _uri(path), "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": line},
    }
    name = escape(f"{change.section} {change.key} {change.field}".rstrip())
    return {
        "ruleId": change.rule,
        "ruleIndex": rule_index[change.rule],
        **_level_and_kind(change),
        "message": {"text": _message(text)},
        "locations": [
            {
                "physicalLocation": physical,
                "logicalLocations": [{"fullyQualifiedName": name, "kind": "record"}],
            }
        ],
        "partialFingerprints": {
            "envlock/v1": change.id,
            "primaryLocationLineHash": f"{change.id}:1",
        },
        "suppressions": list(_suppressions(change)),
        "properties": _properties(change, explains),
    }


def _level_and_kind(change: Change) -> dict[str, str]:
    """Return level and kind; only a proved difference has a level (SARIF 3.27.9)."""
    if change.kind is ChangeKind.UNKNOWN and change.severity is Severity.INFO:
        return {"level": "none", "kind": "open"}
    if change.explained_by:
        return {"level": "none", "kind": "informational"}
    return {"level": _LEVELS[change.severity], "kind": "fail"}


def _suppressions(change: Change) -> Iterator[dict[str, str]]:
    if not change.status.counts:
        yield {
            "kind": "external",
            "status": "accepted",
            "justification": visible(change.policy) or change.status.value,
        }
    elif change.status is ChangeStatus.EXPIRED_WAIVER:
        yield {
            "kind": "external",
            "status": "rejected",
            "justification": visible(change.policy) or change.status.value,
        }


def _properties(change: Change, explains: Iterable[Change]) -> dict[str, object]:
    found: dict[str, object] = {
        "id": change.id,
        "section": change.section,
        "key": escape(change.key),
        "field": escape(change.field),
        "kind": change.kind.value,
        "left": None if change.left is None else escape(change.left),
        "right": None if change.right is None else escape(change.right),
        "relation": change.relation.value,
        "severity": change.severity.value,
        "status": change.status.value,
        "explained_by": escape(change.explained_by),
        "scope": [escape(role) for role in change.scope or ()],
        "via": escape(change.via),
    }
    if change.moved is not None:
        found["moved"] = change.moved.value
    ids = [other.id for other in worst_first(explains)]
    if ids:
        found["explains"] = ids
    return found


def _notifications(report: DriftReport, cut: int) -> list[dict[str, object]]:
    level = "error" if report.result is Result.INCONCLUSIVE else "note"
    found: list[tuple[str, str]] = [(level, headline(report))]
    found += [("warning" if report.notes else "note", text) for text in note_lines(report)]
    if cut:
        found.append(("warning", f"the {cut} least severe results were left out"))
    return [{"level": level, "message": {"text": _message(text)}} for level, text in found]


def _message(text: str) -> str:
    """Escape plain text, so that it has no placeholder and no link (SARIF 3.11.5 and 3.11.6)."""
    return text.replace("{", "{{").replace("}", "}}").replace("](", "\\](")


def _uri(path: str) -> str:
    return quote(path, errors="surrogateescape")
