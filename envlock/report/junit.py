"""Report for test dashboards: JUnit XML as described by Jenkins' xunit plug-in.

A change is a test case: failed at or above the threshold, in error for a required section that was
not covered, skipped when the change is unknown or covered by policy, else passed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from xml.sax.saxutils import escape, quoteattr

from envlock.diff.drift import Change, ChangeKind, DriftReport, fails
from envlock.model.severity import Severity
from envlock.report.input import PairInput
from envlock.report.scope import note_lines
from envlock.report.source_location import LockTexts
from envlock.report.visible import visible
from envlock.report.wording import (
    describe_values,
    headline,
    remedy,
    section_title,
    subject,
)

_FAILED, _ERROR, _SKIPPED, _PASSED = "failure", "error", "skipped", "passed"


def render_junit(given: PairInput) -> str:
    """Return XML with a suite for each section; a case fails if its change makes the status 1."""
    report, locks = given.report, given.lock_texts()
    listed = [change for change in report.changes if not change.is_outside]
    outcomes = {id(change): _outcome(change, given.fail_on) for change in listed}
    total = Counter(outcomes.values())
    head = (
        f'<testsuites name="envlock diff" tests="{max(1, len(listed))}"'
        f' failures="{total[_FAILED]}" errors="{total[_ERROR]}">'
    )
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', head]
    for section, found in groupby(listed, lambda change: change.section):
        changes = list(found)
        count = Counter(outcomes[id(change)] for change in changes)
        lines.append(
            f'<testsuite name={quoteattr(section_title(section))} tests="{len(changes)}"'
            f' failures="{count[_FAILED]}" errors="{count[_ERROR]}" skipped="{count[_SKIPPED]}">'
        )
        for change in changes:
            lines += _case(change, outcomes[id(change)], report, locks)
        lines.append("</testsuite>")
    if not listed:
        # Dashboards treat a file without any test as a broken job.
        lines.append(
            '<testsuite name="envlock diff" tests="1" failures="0" errors="0" skipped="0">'
        )
        lines.append(f'<testcase classname="envlock" name={quoteattr(headline(report))}/>')
        lines.append("</testsuite>")
    if notes := note_lines(report):
        lines.insert(-1, f"<system-out>{escape(chr(10).join(notes))}</system-out>")
    return "\n".join((*lines, "</testsuites>")) + "\n"


def _outcome(change: Change, fail_on: Severity | None) -> str:
    if change.rule == "REQUIRED-NOT-COVERED":
        return _ERROR
    if change.kind is ChangeKind.UNKNOWN or not change.status.counts:
        return _SKIPPED
    return _FAILED if fails(change, fail_on) else _PASSED


def _case(change: Change, outcome: str, report: DriftReport, locks: LockTexts) -> Iterator[str]:
    name = quoteattr(f"{subject(change)} [{change.id}]")
    head = f"<testcase classname={quoteattr(f'envlock.{change.section}')} name={name}"
    message = describe_values(change, report)
    if outcome == _PASSED:
        message = escape(f"{change.severity.value}: {message}")
        yield f"{head}><system-out>{message}</system-out></testcase>"
        return
    if not change.status.counts:
        message = f"{change.status.value}: {message}"
    path, line = locks.locate(change)
    body = [f"{change.severity.value} {change.rule}: {visible(change.why)}"]
    body += [visible(remedy(change))] if remedy(change) else []
    body += [f"policy: {visible(change.policy)}"] if change.policy else []
    body.append(f"at {visible(path)}:{line}")
    yield (
        f"{head}><{outcome} type={quoteattr(change.rule)} message={quoteattr(message)}>"
        f"{escape(chr(10).join(body))}</{outcome}></testcase>"
    )
