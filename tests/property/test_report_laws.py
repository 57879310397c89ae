"""Laws of reports: every format has the same changes, whatever their names and values are."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from envlock.diff.drift import (
    Change,
    ChangeKind,
    ChangeStatus,
    Delta,
    DriftReport,
    MovedSide,
    fails,
    judge,
    summarize,
)
from envlock.model.facts import SECTIONS
from envlock.model.severity import Severity
from envlock.report.github import render_github
from envlock.report.gitlab import render_gitlab
from envlock.report.html import render_html
from envlock.report.input import Canvas, PairInput
from envlock.report.json import render_json
from envlock.report.junit import render_junit
from envlock.report.markdown import SUMMARY_LIMIT, markdown_page
from envlock.report.sarif import render_sarif
from envlock.report.text import render_text
from envlock.report.wording import ChangeGroups
from envlock.versions.relation import Relation

GOLDEN = Path(__file__).parents[1] / "golden/schemas"
OURS = jsonschema.Draft202012Validator(
    json.loads((files("envlock.report") / "diff.schema.json").read_text())
)
SARIF = jsonschema.Draft4Validator(json.loads((GOLDEN / "sarif-2.1.0-rtm.5.json").read_text()))
JUNIT = etree.XMLSchema(etree.parse(GOLDEN / "junit-10.xsd"))

texts = st.one_of(
    st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20),
    st.binary(min_size=1, max_size=12).map(lambda raw: raw.decode("utf-8", "surrogateescape")),
    st.sampled_from(["</script>", "|`<b>", "::error::x", "a\nb", "{x}", "](y)", "]]>", "-->"]),
)
keys = st.one_of(texts, st.sampled_from(["curl:amd64", "/etc/hosts", "LANG"]))


@st.composite
def changes(draw):
    section = draw(st.sampled_from(sorted(SECTIONS)))
    key = draw(keys) if SECTIONS[section].keyed else ""
    field = draw(st.sampled_from(["", "version", "sha256", "content:a.b", "expect:only_in"]))
    kind = draw(st.sampled_from(ChangeKind))
    made = draw(st.none() | texts), draw(st.none() | texts)
    return Change(
        id=Delta(section, key, field, kind, None, None, {}).id,
        section=section,
        key=key,
        field=field,
        kind=kind,
        left=made[0],
        right=made[1],
        relation=draw(st.sampled_from(Relation)),
        severity=draw(st.sampled_from(Severity)),
        rule=draw(st.sampled_from(["OTHER", "EXPLAINED", "DEB-DOWNGRADE", "OUR-RULE"])),
        why=draw(texts),
        fix=draw(st.just(()) | st.lists(texts, min_size=1).map(lambda words: (tuple(words),))),
        next=draw(st.just("") | texts),
        explained_by=draw(st.sampled_from(["", "", "deb curl:amd64", "file /etc/hosts"])),
        status=draw(st.sampled_from(ChangeStatus)),
        policy=draw(st.just("") | texts),
        moved=draw(st.none() | st.sampled_from(MovedSide)),
    )


@st.composite
def reports(draw):
    found = draw(st.lists(changes(), max_size=12, unique_by=lambda change: change.id))
    found.sort(key=lambda change: list(SECTIONS).index(change.section))
    return DriftReport(
        result=judge(found),
        left_name=draw(texts),
        right_name=draw(texts),
        changes=tuple(found),
        hidden=draw(st.dictionaries(texts, st.integers(1, 9), max_size=2)),
        summary=summarize(found),
        parity=draw(st.integers(0, 1000)) / 10,
    )


def embedded(page: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(found[1])


@settings(max_examples=50)
@given(reports())
def test_every_format_has_the_same_changes(report):
    wanted = {change.id for change in report.changes}
    document = json.loads(render_json(PairInput(report)))
    OURS.validate(document)
    assert [change["id"] for change in document["changes"]] == [c.id for c in report.changes]
    log = json.loads(render_sarif(PairInput(report)))
    SARIF.validate(log)
    listed = [
        identity
        for result in log["runs"][0]["results"]
        for identity in (result["properties"]["id"], *result["properties"].get("explains", ()))
    ]
    # Two changes of a record may both explain the same change, but none is missing.
    assert set(listed) == wanted
    rows = embedded(render_html(PairInput(report)))["rows"]
    assert sorted(row[1] for row in rows) == sorted(wanted)
    assert set(re.findall(r"<sub>(?:\S+ )?([0-9a-f]{12})</sub>",
                          markdown_page(report, SUMMARY_LIMIT))) == wanted  # fmt: skip
    tests = etree.fromstring(render_junit(PairInput(report)).encode())
    JUNIT.assertValid(tests)
    names = [case.get("name") for case in tests.iter("testcase")] if wanted else []
    assert {name[-13:-1] for name in names} == wanted
    page = render_text(PairInput(report, full=True))
    assert all(identity in page for identity in wanted)


@settings(max_examples=50)
@given(reports())
def test_gitlab_and_github_have_the_changes_that_count(report):
    listed = ChangeGroups.of(report).listed
    issues = json.loads(render_gitlab(PairInput(report)))
    assert sorted(issue["fingerprint"] for issue in issues) == sorted(c.id for c in listed)
    commands = render_github(PairInput(report)).splitlines()
    assert all(command.startswith("::") for command in commands)
    annotated = {change.id for change in listed if change.severity is not Severity.INFO}
    named = set(re.findall(r"title=[^:]*\[([0-9a-f]{12})\]::", "\n".join(commands)))
    assert named <= annotated
    assert len(named) == len(annotated) or any("more of this level" in line for line in commands)


@settings(max_examples=50)
@given(reports(), st.sampled_from([*Severity, None]))
def test_a_dashboard_fails_when_the_exit_status_is_1(report, level):
    tests = etree.fromstring(render_junit(PairInput(report, fail_on=level)).encode())
    failing = any(fails(change, level) for change in report.changes)
    assert bool(tests.findall(".//failure")) == failing


@given(reports(), st.booleans(), st.integers(30, 200))
def test_text_has_no_control_characters_and_no_commands(report, ascii_only, width):
    page = render_text(PairInput(report, Canvas(width=width, ascii=ascii_only)))
    assert all(char.isprintable() for line in page.split("\n") for char in line)
    assert not ascii_only or page.isascii()
    assert not re.search(r"^\s*::|##\[", page, re.MULTILINE)
