"""The report for GitLab's merge requests: its code quality format, a JSON array.

It holds what stands against the project: the widget knows no suppression, so what policy covers or
another change explains is not in it.  https://docs.gitlab.com/ci/testing/code_quality
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from envlock.diff.drift import Change, DriftReport, Severity
from envlock.report.source_location import Places
from envlock.report.visible import visible
from envlock.report.wording import Parts, happening, subject, worst_first

_SEVERITIES: Mapping[Severity, str] = {
    Severity.CRITICAL: "blocker",
    Severity.HIGH: "critical",
    Severity.MEDIUM: "major",
    Severity.LOW: "minor",
    Severity.INFO: "info",
}


def render_gitlab(report: DriftReport, places: Places) -> str:
    """Return the changes that count as a JSON array, the worst first."""
    listed = worst_first(Parts.of(report).listed)
    lines = ",\n".join(json.dumps(_issue(change, report, places)) for change in listed)
    return f"[\n{lines}\n]\n"


def _issue(change: Change, report: DriftReport, places: Places) -> dict[str, object]:
    place = places.find(change)
    told = f"{subject(change)}: {happening(change, report)}; {visible(change.why)}"
    return {
        "type": "issue",
        "check_name": change.rule,
        "description": f"{told}. Fix: {visible(change.fix)}" if change.fix else told,
        "fingerprint": change.id,
        "severity": _SEVERITIES[change.severity],
        "location": {"path": visible(place.path), "lines": {"begin": place.line}},
    }
