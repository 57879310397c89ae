"""Every format of a report, against files that were read by one and against official schemas."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from lxml import etree
from markdown_it import MarkdownIt

from envlock import __version__
from envlock.diff.drift import ChangeKind, Result, Severity, fails
from envlock.lockfile.lines import Lines
from envlock.lockfile.writer import render_lock
from envlock.model.lock import Lock
from envlock.model.record import Record
from envlock.report.github import SHOWN_PER_LEVEL, render_github
from envlock.report.gitlab import render_gitlab
from envlock.report.html import render_html
from envlock.report.json import render_json
from envlock.report.junit import render_junit
from envlock.report.markdown import COMMENT_LIMIT, render_markdown
from envlock.report.sarif import MAX_RESULTS, render_sarif
from envlock.report.source_location import LockText, Place, Places
from envlock.report.text import render_text
from envlock.report.visible import visible
from envlock.report.wording import Parts

GOLDEN = Path(__file__).parents[2] / "golden"
SARIF = json.loads((GOLDEN / "schemas/sarif-2.1.0-rtm.5.json").read_text())
JUNIT = etree.XMLSchema(etree.parse(GOLDEN / "schemas/junit-10.xsd"))

LEFT = Lock.of([
    Record("deb", "curl:amd64", {"version": "7.88.1-10+deb12u12", "mark": "manual"}),
    Record("deb", "old:all", {"version": "1.0"}),
    Record("env", "LANG", {"value": "C.UTF-8"}),
    Record("os", "", {"id": "debian", "libc": "glibc 2.36"}),
])  # fmt: skip
RIGHT = Lock.of([
    Record("deb", "curl:amd64", {"version": "7.88.1-10+deb12u5", "mark": "manual"}),
    Record("deb", "nginx:amd64", {"version": "1.22.1-9+deb12u2"}),
    Record("deb", 'odd"\\\udcff:all', {"version": "1"}),
    Record("env", "GREETING", {"value": "moin moin"}),
    Record("os", "", {"id": "debian", "libc": "glibc 2.31"}),
    Record("tree", "", {"content": "sha256:1", "entries": "4"}),
])  # fmt: skip


def lock_text(lock, path, **rest):
    return LockText(path, Lines.of(render_lock(lock)), **rest)


PLACES = Places(lock_text(LEFT, "locks/dev.lock"), lock_text(RIGHT, "locks/prod.lock"))

FORMATS = {
    "json": render_json,
    "md": render_markdown,
    "html": render_html,
    "sarif": lambda report: render_sarif(report, PLACES),
    "xml": lambda report: render_junit(report, PLACES, fail_on=Severity.LOW),
    "gitlab.json": lambda report: render_gitlab(report, PLACES),
    "github.txt": lambda report: render_github(report, PLACES),
    "txt": render_text,
    "full.txt": lambda report: render_text(report, full=True),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_report_with_everything_in_it(name, everything):
    written = FORMATS[name](everything)
    # What changes with every release or every edit of the page's looks is not told here.
    written = written.replace(f'"semanticVersion": "{__version__}"', '"semanticVersion": "VERSION"')
    written = re.sub(r"<(style|script)>.*?</\1>", r"<\1></\1>", written, flags=re.DOTALL)
    written = re.sub(r"'sha256-[^']*'", "'sha256-DIGEST'", written)
    golden = GOLDEN / f"reports/everything.{name}"
    if os.environ.get("ENVLOCK_REGOLD"):
        golden.write_text(written, encoding="utf-8")
    assert written == golden.read_text(encoding="utf-8")


def sarif_run(report, places=PLACES):
    log = json.loads(render_sarif(report, places))
    jsonschema.Draft4Validator(SARIF).validate(log)
    (run,) = log["runs"]
    return run


def test_sarif_is_what_the_standard_says(everything, hostile, many):
    for report in (everything, hostile, many(30)):
        run = sarif_run(report)
        rules = run["tool"]["driver"]["rules"]
        for result in run["results"]:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
            # Only what is proved to differ has a level (3.27.10), and a code scanning service
            # drops a result without a place in a file.
            assert (result["kind"] == "fail") == (result["level"] != "none")
            assert result["locations"][0]["physicalLocation"]["region"]["startLine"] >= 1
            text = result["message"]["text"]
            assert not re.search(r"(?<!\{)\{(?!\{)|(?<!\})\}(?!\})|(?<!\\)\]\(", text)


def test_what_policy_covers_is_suppressed_in_sarif(everything):
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


def test_sarif_is_cut_at_what_a_service_takes(many):
    (run,) = json.loads(render_sarif(many(MAX_RESULTS + 3), PLACES))["runs"]
    assert len(run["results"]) == MAX_RESULTS
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert [n["message"]["text"] for n in notes][-1] == (
        "3 results were cut off, the least severe ones"
    )
    ranks = [list(Severity).index(r["properties"]["severity"]) for r in run["results"]]
    assert ranks == sorted(ranks)


def test_changes_are_pointed_at_where_they_stand(everything):
    places = {c.key + c.field: PLACES.find(c) for c in everything.changes}
    left, right = (render_lock(lock).decode().split("\n") for lock in (LEFT, RIGHT))

    def line(place):
        lock = left if place.path == "locks/dev.lock" else right
        return lock[place.line - 1]

    assert line(places["curl:amd64version"]) == 'version = "7.88.1-10+deb12u5"'
    assert line(places["libc"]) == 'libc = "glibc 2.31"'
    assert line(places["old:all"]) == '[deb."old:all"]'
    assert places["LANG"] == Place("locks/dev.lock", left.index('[env."LANG"]') + 1)
    assert line(places["/srv/data"]) == "[tree]"
    assert line(places["older:all"]) == '[deb."curl:amd64"]'
    assert places["overlay"] == Place("locks/prod.lock", 1)
    odd = everything.changes[1]
    from dataclasses import replace

    assert line(PLACES.find(replace(odd, key='odd"\\\udcff:all', field=""))).startswith('[deb."odd')


def test_lines_of_another_revision_are_not_pointed_at(everything):
    lang = next(change for change in everything.changes if change.key == "LANG")
    old = lock_text(LEFT, "locks/prod.lock", is_current=False)
    places = Places(old, lock_text(RIGHT, "locks/prod.lock"))
    assert places.find(lang) == Place("locks/prod.lock", PLACES.right.lines.find_section("env"))
    assert Places(old, None).find(lang).path == "locks/prod.lock"
    assert Places(None, None).find(lang) == Place("envlock.toml", 1)


def junit(report, **options):
    document = etree.fromstring(render_junit(report, PLACES, **options).encode())
    JUNIT.assertValid(document)
    return document


def test_junit_is_what_its_schema_says(everything, hostile, many):
    for report in (everything, hostile, many(30), report_without_changes(everything)):
        document = junit(report)
        for suite in (document, *document.findall("testsuite")):
            for name in ("failure", "error"):
                counted = int(suite.get(f"{name}s"))
                assert counted == len(suite.findall(f".//{name}"))
            assert int(suite.get("tests")) == len(suite.findall(".//testcase"))


def report_without_changes(report):
    from dataclasses import replace

    return replace(report, changes=(), result=Result.EQUAL, summary={})


@pytest.mark.parametrize("level", [*Severity, None])
def test_a_test_case_fails_when_the_status_would(level, everything):
    document = junit(everything, fail_on=level)
    failed = sum(fails(change, level) for change in everything.changes)
    assert len(document.findall(".//failure")) == failed
    assert len(document.findall(".//error")) == 1
    assert len(document.findall(".//skipped")) == 3


def test_gitlab_has_what_its_documentation_asks_for(everything, hostile):
    for report in (everything, hostile):
        issues = json.loads(render_gitlab(report, PLACES))
        assert len({issue["fingerprint"] for issue in issues}) == len(issues)
        for issue in issues:
            assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
            assert issue["location"]["lines"]["begin"] >= 1
            assert all(isinstance(issue[n], str) for n in ("description", "check_name"))
            assert not issue["location"]["path"].startswith(("/", "./"))


COMMAND = re.compile(r"::(error|warning|notice|debug|group|endgroup)( [^:]*)?::(.*)\Z")


def test_github_gets_commands_and_nothing_else(everything, hostile, many):
    for report in (everything, hostile, many(200)):
        lines = render_github(report, PLACES).splitlines()
        commands = [COMMAND.match(line) for line in lines]
        assert all(commands), lines
        for command in commands:
            rest = (command[2] or "").strip()
            given = dict(item.split("=", 1) for item in rest.split(",") if item)
            assert set(given) <= {"file", "line", "title"}
        for level in ("error", "warning", "notice"):
            told = [command for command in commands if command[1] == level]
            assert len(told) <= SHOWN_PER_LEVEL + 1


def test_github_says_how_many_it_leaves_out(many):
    report = many(200)
    written = render_github(report, PLACES)
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
    from dataclasses import replace

    unknown = [c for c in everything.changes if c.kind is ChangeKind.UNKNOWN and not c.field]
    report = replace(everything, changes=tuple(unknown), result=Result.INCONCLUSIVE)
    assert render_github(report, PLACES).startswith("::error title=envlock::INCONCLUSIVE dev")


@pytest.mark.parametrize("limit", [5_000, 20_000, COMMENT_LIMIT])
def test_markdown_is_cut_between_changes_and_says_so(limit, many, hostile):
    for report in (many(3_000), hostile):
        page = render_markdown(report, limit=limit)
        assert len(page.encode()) <= limit
        assert page.count("<details>") == page.count("</details>")
        listed = {change.id for change in Parts.of(report).listed}
        shown = {identity for identity in listed if identity in page}
        cut = re.search(r"\*\*Cut here: (.*) more\.\*\*", page)
        told = sum(map(int, re.findall(r"\d+", cut[1]))) if cut else 0
        covered = Parts.of(report).covered
        assert told >= len(listed) - len(shown)
        assert told <= len(listed) - len(shown) + len(covered)


OURS = {"<code>", "</code>", "<sub>", "</sub>", "<br>"}
PLAIN = {"text", "html_inline", "strong_open", "strong_close", "softbreak", "hardbreak"}
REFERENCE = re.compile(r"@\w|#\d|!\d|\$\w|://|www\.|\b[0-9a-f]{13,40}\b")


def test_no_name_is_markup_in_markdown(hostile, hostile_texts):
    """As a CommonMark parser with tables sees it; references are what the sites look for beyond."""
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    tokens = parser.parse(render_markdown(hostile, limit=1_000_000))
    seen = ""
    row, widths = 0, set()
    for token in tokens:
        if token.type == "html_block":
            assert re.fullmatch(
                r"(<details><summary>[\w :,]*</summary>|</details>)\n?", token.content
            )
        row += token.type in ("th_open", "td_open")
        if token.type == "tr_close":
            widths.add(row)
            row = 0
        inside = 0
        for part in token.children or ():
            assert part.type in PLAIN, part
            if part.type == "html_inline":
                assert part.content in OURS
                inside += {"<code>": 1, "</code>": -1}.get(part.content, 0)
            elif part.type == "text":
                seen += part.content
                assert inside or not REFERENCE.search(part.content), part.content
    assert widths == {4, 5}
    for text in hostile_texts:
        assert visible(text) in seen


def test_every_format_of_nothing(everything):
    report = report_without_changes(everything)
    for name, render in FORMATS.items():
        assert render(report).endswith("\n"), name
    assert json.loads(render_gitlab(report, PLACES)) == []
    assert sarif_run(report)["results"] == []


SCRIPT = """
import hashlib, importlib.util, sys
sys.path.insert(0, sys.argv[1])
for name in ("conftest", "test_formats"):
    spec = importlib.util.spec_from_file_location(name, f"{sys.argv[1]}/{name}.py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
reports = sys.modules["conftest"]
for report in (reports.everything(), reports.hostile(), reports.many(50)):
    for render in module.FORMATS.values():
        print(hashlib.sha256(render(report).encode()).hexdigest())
"""


def test_the_same_report_is_the_same_bytes_whatever_the_hash_seed():
    outputs = set()
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, Path(__file__).parent],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        outputs.add(done.stdout)
    (digests,) = outputs
    assert digests.count("\n") == 3 * len(FORMATS)
