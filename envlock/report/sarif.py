"""The report for code scanning: SARIF 2.1.0 (OASIS), every change at a line of a lockfile.

What another change explains is named by id in the properties of the one that explains it: an
upgraded package with a thousand files is one result.  What policy covers is a suppressed result.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote

from envlock import __version__
from envlock.diff.drift import Change, ChangeKind, ChangeStatus, DriftReport, Result, Severity
from envlock.diff.severity import explain
from envlock.errors import UsageError
from envlock.model.text import escape
from envlock.report.source_location import Places
from envlock.report.visible import visible
from envlock.report.wording import Parts, happening, headline, remarks, subject, worst_first

MAX_RESULTS = 25_000
"""A code scanning service refuses a run with more; it keeps the 5,000 worst of them."""

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
"""What the words of a rule are about, where they are about no change in particular."""


def render_sarif(report: DriftReport, places: Places) -> str:
    """Return `report` as a SARIF log with one run, the worst result first."""
    parts = Parts.of(report)
    folded = dict(parts.folded)
    shown = [(c, folded.pop(f"{c.section} {c.key}", ())) for c in (*parts.listed, *parts.covered)]
    # What explains these was ignored or is itself not here: they stand alone.
    shown += [(change, ()) for orphans in folded.values() for change in orphans]
    shown.sort(key=lambda pair: (not pair[0].status.counts, pair[0].severity.rank))
    kept = shown[:MAX_RESULTS]
    rules = _rules(change for change, _ in kept)
    places_of_rules = {rule: index for index, rule in enumerate(rules)}
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
        },
    }
    results = [
        json.dumps(_result(change, explains, report, places, places_of_rules))
        for change, explains in kept
    ]
    # One result a line: quick to write, and a difference of two logs can be read.
    listed = ",\n".join(results)
    head = json.dumps({"$schema": _SCHEMA, "version": "2.1.0"})[:-1]
    return f'{head}, "runs": [{json.dumps(run)[:-1]}, "results": [\n{listed}\n]}}]}}\n'


def _rules(changes: Iterable[Change]) -> dict[str, Change]:
    """Return the rules in use by id, each with the first change it judges."""
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
    places: Places,
    rules: Mapping[str, int],
) -> dict[str, object]:
    place = places.find(change)
    text = f"{subject(change)}: {happening(change, report)}. {visible(change.why)}."
    if change.fix:
        text += f" Fix: {visible(change.fix)}"
    physical = {
        "artifactLocation": {"uri": _uri(place.path), "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": place.line},
    }
    name = escape(f"{change.section} {change.key} {change.field}".rstrip())
    return {
        "ruleId": change.rule,
        "ruleIndex": rules[change.rule],
        **_standing(change),
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


def _standing(change: Change) -> dict[str, str]:
    """Return level and kind; a level belongs to what is proved to differ (SARIF 3.27.9)."""
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
    found += [("warning" if report.notes else "note", text) for text in remarks(report)]
    if cut:
        found.append(("warning", f"{cut} results were cut off, the least severe ones"))
    return [{"level": level, "message": {"text": _message(text)}} for level, text in found]


def _message(text: str) -> str:
    """Return plain text as a message: no placeholder and no link (SARIF 3.11.5 and 3.11.6)."""
    return text.replace("{", "{{").replace("}", "}}").replace("](", "\\](")


def _uri(path: str) -> str:
    return quote(path, errors="surrogateescape")
