"""GitLab's code quality format."""

from __future__ import annotations

import json

from envlock.report.gitlab import render_gitlab
from envlock.report.input import PairInput
from tests.unit.report.samples import LOCKS, without_changes


def test_it_has_every_member_that_gitlab_documents(everything, hostile):
    for report in (everything, hostile):
        issues = json.loads(render_gitlab(PairInput(report, locks=lambda: LOCKS)))
        assert len({issue["fingerprint"] for issue in issues}) == len(issues)
        for issue in issues:
            assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
            assert issue["location"]["lines"]["begin"] >= 1
            assert all(isinstance(issue[n], str) for n in ("description", "check_name"))
            assert not issue["location"]["path"].startswith(("/", "./"))


def test_equal_environments_have_no_issues():
    assert json.loads(render_gitlab(PairInput(without_changes()))) == []
