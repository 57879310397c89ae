"""The HTML page of many environments, also in a real browser."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from envlock.report.html import STATIC_LIMIT
from envlock.report.matrix_html import Column, Deviation, FindingRow, letter, matrix_page
from envlock.report.visible import visible
from envlock.report.wording import fact_name

WEB = tuple(f"web-{number}" for number in range(1, 18))
COLUMNS = (Column("web-1..web-17 (17)", WEB), Column("db", ("db",)), Column("old", ("old",)))


def rows_of(report):
    """Return each change as a row that deviates on db, and if it is high or critical, on old."""
    return [
        FindingRow(
            change.left, 17, (Deviation(change, (1, 2) if change.severity.rank < 2 else (1,)),)
        )
        for change in report.changes
    ]


def embedded(page):
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(found[1])


def test_only_groups_that_deviate_have_a_column(everything):
    rows = rows_of(everything)
    rows[0] = rows[0]._replace(missing=(2,), deviations=(Deviation(rows[0].lead, (1,)),))
    data = embedded(matrix_page(everything, COLUMNS, rows))
    assert (data["letters"], data["names"]) == (["A", "B"], ["db", "old"])
    by_id = {row[1]: row for row in data["rows"]}
    assert set(by_id) == {change.id for change in everything.changes}
    first = by_id[everything.changes[0].id]
    assert first[9:] == ["glibc 2.36", 17, [["~", "glibc 2.31", 0, [0]]], [1]]
    ranks = [row[5] for row in data["rows"]]
    assert ranks == sorted(ranks)


def test_columns_are_named_as_in_a_spreadsheet():
    assert [letter(n) for n in (0, 25, 26, 27, 701, 702)] == ["A", "Z", "AA", "AB", "ZZ", "AAA"]


def test_without_javascript_there_is_a_list_of_limited_length(many):
    report = many(STATIC_LIMIT + 7)
    page = matrix_page(report, COLUMNS, rows_of(report))
    assert page.count('<li class="static">') == STATIC_LIMIT
    assert "<p>Enable JavaScript to see 7 more findings.</p>" in page


def test_nothing_differs(everything):
    report = replace(everything, changes=(), summary={})
    page = matrix_page(report, COLUMNS, [])
    assert "Nothing differs." in page
    assert "19 environments in 3 groups" in page


@pytest.fixture
def opened(browser, tmp_path):
    """Return a function that opens the page of rows in the browser."""

    def open_page(report, columns, rows):
        path = tmp_path / "matrix.html"
        path.write_text(matrix_page(report, columns, rows), encoding="utf-8")
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.get_log("browser")
        browser.get(path.as_uri())
        return browser

    return open_page


@pytest.mark.browser
def test_a_cell_for_every_group(opened, everything):
    browser = opened(everything, COLUMNS, rows_of(everything))
    cells = browser.execute_script(
        "return [...document.querySelectorAll('main details')].map(d =>"
        " [d.id, [...d.querySelectorAll('summary > .cell')].map(cell => cell.textContent)])"
    )
    listed = [change for change in everything.changes if not change.explained_by]
    assert {identity for identity, _ in cells} == {change.id for change in listed}
    by_id = dict(cells)
    libc = next(change for change in listed if fact_name(change) == "libc")
    assert by_id[libc.id] == ["glibc 2.36", "~glibc 2.31", "~glibc 2.31"]
    data = next(change for change in listed if change.key == "/srv/data")
    assert by_id[data.id] == ["absent", "+directory 0755 0:0", "="]
    assert browser.get_log("browser") == []


@pytest.mark.browser
def test_hostile_names_of_environments_are_text(opened, hostile, hostile_texts):
    columns = [Column("most", ("a", "b")), *(Column(text, (text,)) for text in hostile_texts)]
    rows = [
        FindingRow(change.left, 2, (Deviation(change, (1 + number % 10,)),))
        for number, change in enumerate(hostile.changes)
    ]
    browser = opened(hostile, columns, rows)
    text = browser.execute_script("return document.body.textContent")
    assert all(visible(name) in text for name in hostile_texts)
    assert browser.execute_script("return document.querySelectorAll('script, img').length") == 2
    assert browser.get_log("browser") == []
    size = {"width": 375, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 375
