"""The HTML report in a real browser: its functions, and that hostile names stay text."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from envlock.report.html import render_html
from envlock.report.input import PairInput
from envlock.report.visible import visible
from envlock.report.wording import ChangeGroups

pytestmark = pytest.mark.browser


class Page:
    """The page of a report, opened in the browser."""

    def __init__(self, driver: Any, path: Path) -> None:
        self.driver = driver
        self.url = path.as_uri()

    def open(self, fragment: str = "") -> Page:
        """Load the page, at a fragment."""
        self.driver.get("about:blank")
        self.driver.get(self.url + fragment)
        return self

    def run(self, script: str, *arguments: object) -> Any:
        """Run a script in the page."""
        return self.driver.execute_script(script, *arguments)

    def media(self, **features: str) -> None:
        """Set media features, such as ``prefers_color_scheme="dark"``."""
        named = [{"name": n.replace("_", "-"), "value": v} for n, v in features.items()]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": named})

    def wait(self, script: str, wanted: object, *arguments: object) -> None:
        """Wait until a script returns `wanted`."""
        for _ in range(1200):
            if (found := self.run(script, *arguments)) == wanted:
                return
            time.sleep(0.05)
        assert found == wanted

    @property
    def shown(self) -> str:
        """The line that says how many changes are shown."""
        return str(self.run("return document.getElementById('shown').textContent"))

    @property
    def findings(self) -> list[str]:
        """The ids of the changes that are listed."""
        return list(self.run("return [...document.querySelectorAll('details')].map(d => d.id)"))


@pytest.fixture
def open_page(browser, tmp_path):
    """Return a function that opens a report."""
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})

    def opened(report, fragment=""):
        path = tmp_path / "report.html"
        path.write_text(render_html(PairInput(report)), encoding="utf-8")
        return Page(browser, path).open(fragment)

    return opened


def test_a_hostile_name_is_text(open_page, hostile, hostile_texts):
    page = open_page(hostile)
    page.run("for (const id of ['folded', 'covered']) document.getElementById(id).click()")
    page.run("for (const d of document.querySelectorAll('details')) d.open = true")
    page.wait("return document.querySelectorAll('details .body').length", len(hostile.changes))
    text = page.run("return document.body.textContent")
    for name in hostile_texts:
        assert visible(name) in text
    assert page.run("return document.querySelectorAll('script').length") == 2
    assert page.run("return document.querySelectorAll('img, iframe, object, form').length") == 0
    links = page.run("return [...document.links].map(link => link.getAttribute('href')[0])")
    assert set(links) == {"#"}
    # A script that ran would have opened a dialog, a violation of the policy would be logged.
    assert page.driver.get_log("browser") == []


def test_the_content_security_policy_blocks_injected_markup_style_and_requests(
    open_page, everything
):
    page = open_page(everything)
    assert (
        page.run("try { document.body.innerHTML = '<b>x</b>'; return 'set' } catch { return 'no' }")
        == "no"
    )
    page.run(
        "const s = document.createElement('style'); s.textContent = 'body{display:none}';"
        "document.head.append(s)"
    )
    assert page.run("return getComputedStyle(document.body).display") == "block"
    asked = page.driver.execute_async_script(
        "const done = arguments[0]; fetch('data:,x').then(() => done('sent'), () => done('no'))"
    )
    assert asked == "no"
    page.driver.get_log("browser")


def test_changes_that_count_are_listed_and_the_others_on_demand(open_page, everything):
    page = open_page(everything)
    parts = ChangeGroups.of(everything)
    assert set(page.findings) == {change.id for change in parts.listed}
    assert page.shown == f"{len(parts.listed)} of {len(everything.changes)} changes"
    page.run("for (const id of ['folded', 'covered']) document.getElementById(id).click()")
    assert set(page.findings) == {change.id for change in everything.changes}


def test_search_and_filters(open_page, everything):
    page = open_page(everything)
    page.driver.find_element("id", "search").send_keys("curl DEB-DOWN")
    page.wait("return document.getElementById('shown').textContent", "1 of 17 changes")
    (found,) = page.findings
    assert found == next(c.id for c in everything.changes if c.rule == "DEB-DOWNGRADE")
    page.open()
    page.run("document.querySelector('.tile.critical').click()")
    wanted = {c.id for c in ChangeGroups.of(everything).listed if c.severity.value != "critical"}
    assert set(page.findings) == wanted
    page.open()
    page.run(
        "const s = document.getElementById('section'); s.value = 'deb';"
        "s.dispatchEvent(new Event('change'))"
    )
    wanted = {c.id for c in ChangeGroups.of(everything).listed if c.section == "deb"}
    assert set(page.findings) == wanted


def test_a_link_opens_a_finding_that_policy_covers(open_page, everything):
    covered = ChangeGroups.of(everything).covered[0]
    page = open_page(everything, f"#{covered.id}")
    assert page.run("return document.getElementById(arguments[0]).open", covered.id)
    contains = "return document.getElementById(arguments[0]).textContent.includes(arguments[1])"
    page.wait(contains, True, covered.id, covered.policy)
    top = page.run(TOP, covered.id)
    assert 0 <= top < 900


def test_it_can_be_used_with_the_keyboard(open_page, everything):
    from selenium.webdriver.common.keys import Keys

    page = open_page(everything)
    active = "return document.activeElement"
    body = page.driver.find_element("tag name", "body")
    body.send_keys("/")
    assert page.run(f"{active}.id") == "search"
    page.driver.switch_to.active_element.send_keys("nothing has this")
    page.wait("return document.querySelectorAll('details').length", 0)
    page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    page.wait("return document.querySelectorAll('details').length > 0", True)
    page.run(f"{active}.blur()")
    body.send_keys("jj")
    assert page.run(f"{active}.tagName") == "SUMMARY"
    page.driver.switch_to.active_element.send_keys(Keys.ENTER)
    assert page.run(f"{active}.parentElement.open")


def test_rows_are_created_as_they_scroll_into_view(open_page, many):
    page = open_page(many(10_000))
    assert page.shown == "10,000 of 10,000 changes"
    count = "return document.querySelectorAll('details').length"
    before = page.run(count)
    assert 20 <= before <= 1_000
    more = "document.querySelector('.group').lastElementChild"
    page.run(f"{more}.click()")
    after = page.run(count)
    assert after == before + 100
    page.run(f"{more}.scrollIntoView()")
    page.wait(f"{count} > {after}", True)
    page.driver.find_element("id", "search").send_keys("package-09999")
    page.wait("return document.getElementById('shown').textContent", "1 of 10,000 changes")


def test_a_printed_page_has_every_row(open_page, many):
    page = open_page(many(700))
    page.run("window.dispatchEvent(new Event('beforeprint'))")
    assert len(page.findings) == 700
    printed = page.driver.execute_cdp_cmd("Page.printToPDF", {})
    assert len(printed["data"]) > 10_000


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_color_can_be_read(scheme, open_page, everything):
    """WCAG 2.2, 1.4.3: a contrast of at least 4.5."""
    page = open_page(everything)
    page.media(prefers_color_scheme=scheme)
    kinds = [
        "pill",
        "tile",
        "badge",
        "reason",
        "field",
        "only",
        "old",
        "new",
        "count",
        "notes",
        "tag",
        "kind",
    ]
    measured = page.run(CONTRASTS, [f".{kind}" for kind in kinds])
    assert len(measured) > 20
    assert {name: ratio for name, ratio in measured if ratio < 4.5} == {}
    background = page.run("return getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(246, 247, 249)", "dark": "rgb(15, 18, 24)"}[scheme]


TOP = "return document.getElementById(arguments[0]).getBoundingClientRect().top"
CONTRASTS = """
const rgb = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
const light = (c) => {
  const [r, g, b] = c.map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = (e) => {
  for (; e; e = e.parentElement) {
    const c = rgb(getComputedStyle(e).backgroundColor);
    if (c.length === 3) return c;
  }
  return [255, 255, 255];
};
const found = [];
for (const selector of arguments[0]) for (const e of document.querySelectorAll(selector)) {
  const pair = [light(rgb(getComputedStyle(e).color).slice(0, 3)), light(behind(e))];
  const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
  found.push([selector + ' ' + e.textContent, ratio]);
}
return found;
"""


def test_it_fits_a_phone(open_page, hostile, many):
    for report in (hostile, many(9_000)):
        page = open_page(report)
        size = {"width": 375, "height": 800, "deviceScaleFactor": 1, "mobile": True}
        page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        assert page.run("return document.documentElement.scrollWidth") <= 375


def test_without_javascript_it_is_a_list(open_page, everything):
    page = open_page(everything)
    page.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    page.driver.get(page.url)
    text = page.driver.find_element("tag name", "body").text
    for change in ChangeGroups.of(everything).listed:
        assert change.id in text
    assert "Enable JavaScript to see 6 more changes" in text


def test_findings_are_filtered_by_application_and_open_to_the_chain(open_page, scoped):
    page = open_page(scoped)
    from selenium.webdriver.support.select import Select

    Select(page.driver.find_element("id", "role")).select_by_value("web")
    names = "return [...document.querySelectorAll('.group li .name')].map((n) => n.textContent)"
    assert page.run(names) == ["libssl3:amd64version"]
    page.driver.find_element("css selector", ".group summary").click()
    assert "_rust.abi3.so → libssl.so.3" in page.driver.find_element("css selector", ".body").text


def test_the_closure_is_an_outline_that_opens(open_page, scoped):
    page = open_page(scoped)
    first = page.driver.find_element("css selector", ".closure > details > summary")
    assert first.text == "What app needs: 2 records"
    assert not page.driver.find_element("css selector", ".closure li").is_displayed()
    first.click()
    page.driver.find_element("css selector", ".closure details details summary").click()
    assert "libssl3:amd64 linked" in page.driver.find_element("css selector", ".closure li").text
