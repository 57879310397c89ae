"""Markdown: cut to the size limit, and free of markup that a name brings."""

from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

from envlock.report.input import PairInput
from envlock.report.markdown import (
    COMMENT_LIMIT,
    SUMMARY_LIMIT,
    markdown_page,
    render_markdown,
)
from envlock.report.visible import visible
from envlock.report.wording import ChangeGroups


@pytest.mark.parametrize("limit", [5_000, 20_000, COMMENT_LIMIT])
def test_it_is_cut_between_changes_and_says_so(limit, many, hostile):
    for report in (many(3_000), hostile):
        page = markdown_page(report, limit)
        assert len(page.encode()) <= limit
        assert page.count("<details>") == page.count("</details>")
        groups = ChangeGroups.of(report)
        listed = {change.id for change in groups.listed}
        shown = {identity for identity in listed if identity in page}
        cut = re.search(r"\*\*Cut here: (.*) more\.\*\*", page)
        left_out = sum(map(int, re.findall(r"\d+", cut[1]))) if cut else 0
        missing = len(listed) - len(shown)
        assert missing <= left_out <= missing + len(groups.covered)


def test_it_fits_a_comment_or_in_full_a_job_summary(many):
    report = many(3_000)
    comment, summary = (
        render_markdown(PairInput(report, full=full)).encode() for full in (False, True)
    )
    assert len(comment) <= COMMENT_LIMIT < len(summary) <= SUMMARY_LIMIT


OURS = {"<code>", "</code>", "<sub>", "</sub>", "<br>"}
PLAIN = {"text", "html_inline", "strong_open", "strong_close", "softbreak", "hardbreak"}
REFERENCE = re.compile(r"@\w|#\d|!\d|\$\w|://|www\.|\b[0-9a-f]{13,40}\b")


def test_no_name_is_markup(hostile, hostile_texts):
    """No name is markup to a CommonMark parser, or a reference to the sites that extend it."""
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    tokens = parser.parse(markdown_page(hostile, SUMMARY_LIMIT))
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
