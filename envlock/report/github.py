"""The report for GitHub's jobs: workflow commands that annotate the lines of a lockfile.

A runner shows ten annotations of each level for a step and drops the rest without a word, so nine
are written and the tenth says how many there are more.
https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from collections.abc import Mapping

from envlock.diff.drift import Change, DriftReport, Result, Severity
from envlock.report.source_location import Places
from envlock.report.visible import visible
from envlock.report.wording import Parts, happening, headline, remarks, subject, varied

SHOWN_PER_LEVEL = 9

_LEVELS: Mapping[Severity, str] = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "notice",
}


def render_github(report: DriftReport, places: Places) -> str:
    """Return one command a line: the verdict, then the worst changes of each level."""
    found: dict[str, list[Change]] = {"error": [], "warning": [], "notice": []}
    for change in varied(Parts.of(report).listed):
        level = _LEVELS.get(change.severity)
        if level is not None:
            found[level].append(change)
    lines = []
    for level, changes in found.items():
        lines += [
            _command(
                level, _message(change, report), f"{change.rule} [{change.id}]", places, change
            )
            for change in changes[:SHOWN_PER_LEVEL]
        ]
        more = len(changes) - SHOWN_PER_LEVEL
        if more > 0:
            text = f"{more} more of this level; the other formats of envlock diff list them all"
            lines.append(f"::{level} title=envlock::{text}")
    # Not an annotation, so that it takes no place from them: a group is a line of the log.
    lines += [f"::group::{_data(headline(report))}", "::endgroup::"]
    if report.result is Result.INCONCLUSIVE and not found["error"]:
        lines.insert(0, f"::error title=envlock::{_data(headline(report))}")
    lines += [f"::debug::{_data(text)}" for text in remarks(report)]
    return "".join(f"{line}\n" for line in lines)


def _message(change: Change, report: DriftReport) -> str:
    text = f"{subject(change)}: {happening(change, report)}\n{visible(change.why)}"
    return f"{text}\nfix: {visible(change.fix)}" if change.fix else text


def _command(level: str, message: str, title: str, places: Places, change: Change) -> str:
    place = places.find(change)
    where = f"file={_property(visible(place.path))},line={place.line},title={_property(title)}"
    return f"::{level} {where}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
