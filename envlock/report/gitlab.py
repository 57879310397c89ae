"""Report for GitLab merge requests: a JSON array in GitLab's code quality format.

It holds only changes that count: the widget has no suppressed state, so changes that policy covers
or another change explains are left out.  https://docs.gitlab.com/ci/testing/code_quality
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from envlock.diff.drift import Change, DriftReport
from envlock.model.severity import Severity
from envlock.report.input import PairInput
from envlock.report.source_location import SourceLocation
from envlock.report.visible import visible
from envlock.report.wording import ChangeGroups, describe_values, remedy, subject, worst_first

_SEVERITIES: Mapping[Severity, str] = {
    Severity.CRITICAL: "blocker",
    Severity.HIGH: "critical",
    Severity.MEDIUM: "major",
    Severity.LOW: "minor",
    Severity.INFO: "info",
}


def render_gitlab(given: PairInput) -> str:
    """Return the changes that count as a JSON array, the worst first."""
    report, locks = given.report, given.lock_texts()
    listed = worst_first(ChangeGroups.of(report).listed)
    lines = ",\n".join(json.dumps(_issue(c, report, locks.locate(c))) for c in listed)
    return f"[\n{lines}\n]\n"


def _issue(change: Change, report: DriftReport, location: SourceLocation) -> dict[str, object]:
    text = f"{subject(change)}: {describe_values(change, report)}; {visible(change.why)}"
    return {
        "type": "issue",
        "check_name": change.rule,
        "description": ". ".join(filter(None, (text, visible(remedy(change))))),
        "fingerprint": change.id,
        "severity": _SEVERITIES[change.severity],
        "location": {"path": visible(location.path), "lines": {"begin": location.line}},
    }
