"""SARIF: against the schema of the standard, and what a code scanning service needs beyond it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema

from envlock.model.severity import Severity
from envlock.report.input import PairInput
from envlock.report.sarif import MAX_RESULTS, render_sarif
from tests.unit.report.samples import LOCKS, without_changes

SCHEMAS = Path(__file__).parents[2] / "golden/schemas"
SCHEMA = json.loads((SCHEMAS / "sarif-2.1.0-rtm.5.json").read_text())


def sarif_run(report):
    log = json.loads(render_sarif(PairInput(report, locks=lambda: LOCKS)))
    jsonschema.Draft4Validator(SCHEMA).validate(log)
    (run,) = log["runs"]
    return run


def test_it_is_what_the_standard_says(everything, hostile, many):
    for report in (everything, hostile, many(30)):
        run = sarif_run(report)
        rules = run["tool"]["driver"]["rules"]
        for result in run["results"]:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
            # Only a proved difference has a level (3.27.10), and a code scanning service drops a
            # result without a location in a file.
            assert (result["kind"] == "fail") == (result["level"] != "none")
            assert result["locations"][0]["physicalLocation"]["region"]["startLine"] >= 1
            text = result["message"]["text"]
            assert not re.search(r"(?<!\{)\{(?!\{)|(?<!\})\}(?!\})|(?<!\\)\]\(", text)


def test_equal_environments_have_no_results():
    assert sarif_run(without_changes())["results"] == []


def test_changes_that_policy_covers_are_suppressed(everything):
    results = sarif_run(everything)["results"]
    statuses = {
        result["properties"]["status"]: [s["status"] for s in result["suppressions"]]
        for result in results
    }
    assert statuses == {
        "new": [],
        "waived": ["accepted"],
        "baseline": ["accepted"],
        "expired-waiver": ["rejected"],
    }


def test_a_package_and_its_files_are_one_result(everything):
    results = sarif_run(everything)["results"]
    explains = {
        result["properties"]["key"]: result["properties"]["explains"]
        for result in results
        if "explains" in result["properties"]
    }
    by_key = {change.id: change.key for change in everything.changes}
    assert {key: {by_key[i] for i in ids} for key, ids in explains.items()} == {
        "curl:amd64": {"/usr/bin/curl"},
        "/etc/app.json": {"/etc/app.json"},
    }
    (orphan,) = [r for r in results if r["properties"]["key"] == "/usr/lib/lost"]
    assert (orphan["kind"], orphan["level"]) == ("informational", "none")


def test_it_is_cut_at_the_limit_of_a_service(many):
    (run,) = json.loads(render_sarif(PairInput(many(MAX_RESULTS + 3))))["runs"]
    assert len(run["results"]) == MAX_RESULTS
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert [n["message"]["text"] for n in notes][-1] == "the 3 least severe results were left out"
    ranks = [list(Severity).index(r["properties"]["severity"]) for r in run["results"]]
    assert ranks == sorted(ranks)
