"""Report for GitHub jobs: workflow commands that annotate lines of a lockfile.

A runner shows ten annotations of each level for a step and silently drops the rest, so at most nine
changes are written and the tenth annotation says how many more there are.
https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from collections.abc import Mapping

from envlock.diff.drift import Change, DriftReport, Result
from envlock.model.severity import Severity
from envlock.report.input import PairInput
from envlock.report.scope import note_lines
from envlock.report.source_location import LockTexts
from envlock.report.visible import visible
from envlock.report.wording import (
    ChangeGroups,
    describe_values,
    headline,
    remedy,
    spread_by_rule,
    subject,
)

SHOWN_PER_LEVEL = 9

_LEVELS: Mapping[Severity, str] = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "notice",
}


def render_github(given: PairInput) -> str:
    """Return one command a line: the verdict, then the worst changes of each level."""
    report, locks = given.report, given.lock_texts()
    found: dict[str, list[Change]] = {"error": [], "warning": [], "notice": []}
    for change in spread_by_rule(ChangeGroups.of(report).listed):
        level = _LEVELS.get(change.severity)
        if level is not None:
            found[level].append(change)
    lines = []
    for level, changes in found.items():
        lines += [
            _command(level, _message(change, report), f"{change.rule} [{change.id}]", locks, change)
            for change in changes[:SHOWN_PER_LEVEL]
        ]
        more = len(changes) - SHOWN_PER_LEVEL
        if more > 0:
            text = f"{more} more of this level; other formats of envlock diff list all of them"
            lines.append(f"::{level} title=envlock::{text}")
    # A group is a line of the log, not an annotation, so it does not count against the ten.
    lines += [f"::group::{_data(headline(report))}", "::endgroup::"]
    if report.result is Result.INCONCLUSIVE and not found["error"]:
        lines.insert(0, f"::error title=envlock::{_data(headline(report))}")
    lines += [f"::debug::{_data(text)}" for text in note_lines(report)]
    return "".join(f"{line}\n" for line in lines)


def _message(change: Change, report: DriftReport) -> str:
    text = f"{subject(change)}: {describe_values(change, report)}\n{visible(change.why)}"
    return "\n".join(filter(None, (text, visible(remedy(change)))))


def _command(level: str, message: str, title: str, locks: LockTexts, change: Change) -> str:
    path, line = locks.locate(change)
    properties = f"file={_property(visible(path))},line={line},title={_property(title)}"
    return f"::{level} {properties}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
