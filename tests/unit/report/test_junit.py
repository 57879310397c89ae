"""JUnit XML: against the schema of Jenkins' plug-in, and which test cases fail."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from envlock.diff.drift import fails
from envlock.model.severity import Severity
from envlock.report.input import PairInput
from envlock.report.junit import render_junit
from tests.unit.report.samples import LOCKS, without_changes

SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).parents[2] / "golden/schemas/junit-10.xsd"))


def junit(report, level=Severity.LOW):
    given = PairInput(report, fail_on=level, locks=lambda: LOCKS)
    document = etree.fromstring(render_junit(given).encode())
    SCHEMA.assertValid(document)
    return document


def test_it_is_what_its_schema_says(everything, hostile, many):
    for report in (everything, hostile, many(30), without_changes()):
        document = junit(report)
        for suite in (document, *document.findall("testsuite")):
            for name in ("failure", "error"):
                counted = int(suite.get(f"{name}s"))
                assert counted == len(suite.findall(f".//{name}"))
            assert int(suite.get("tests")) == len(suite.findall(".//testcase"))


@pytest.mark.parametrize("level", [*Severity, None])
def test_a_test_case_fails_when_its_change_makes_the_status_1(level, everything):
    document = junit(everything, level)
    failed = sum(fails(change, level) for change in everything.changes)
    assert len(document.findall(".//failure")) == failed
    assert len(document.findall(".//error")) == 1
    assert len(document.findall(".//skipped")) == 3
