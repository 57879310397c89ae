"""Workflow commands for GitHub's jobs."""

from __future__ import annotations

import re
from dataclasses import replace

from envlock.diff.drift import ChangeKind, Result
from envlock.report.github import SHOWN_PER_LEVEL, render_github
from envlock.report.input import PairInput
from tests.unit.report.samples import LOCKS

COMMAND = re.compile(r"::(error|warning|notice|debug|group|endgroup)( [^:]*)?::(.*)\Z")


def render(report):
    return render_github(PairInput(report, locks=lambda: LOCKS))


def test_every_line_is_a_command_that_github_knows(everything, hostile, many):
    for report in (everything, hostile, many(200)):
        lines = render(report).splitlines()
        commands = [COMMAND.match(line) for line in lines]
        assert all(commands), lines
        for command in commands:
            rest = (command[2] or "").strip()
            given = dict(item.split("=", 1) for item in rest.split(",") if item)
            assert set(given) <= {"file", "line", "title"}
        for level in ("error", "warning", "notice"):
            written = [command for command in commands if command[1] == level]
            assert len(written) <= SHOWN_PER_LEVEL + 1


def test_it_counts_the_changes_it_leaves_out(many):
    report = many(200)
    written = render(report)
    total = {"error": 0, "warning": 0, "notice": 0}
    for level in total:
        commands = re.findall(rf"^::{level} .*", written, re.MULTILINE)
        more = re.search(rf"^::{level} title=envlock::(\d+) more", written, re.MULTILINE)
        total[level] = len(commands) + (int(more[1]) - 1 if more else 0)
    assert total == {
        "error": report.summary["critical"] + report.summary["high"],
        "warning": report.summary["medium"],
        "notice": report.summary["low"],
    }


def test_an_inconclusive_result_is_an_error_of_the_job(everything):
    unknown = [c for c in everything.changes if c.kind is ChangeKind.UNKNOWN and not c.field]
    report = replace(everything, changes=tuple(unknown), result=Result.INCONCLUSIVE)
    assert render(report).startswith("::error title=envlock::INCONCLUSIVE dev")
