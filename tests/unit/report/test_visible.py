"""Text made safe for a terminal, and its width there."""

import pytest

from envlock.report.visible import cells, shorten, visible


@pytest.mark.parametrize(
    ("text", "shown", "in_ascii"),
    [
        ("plain ~text", "plain ~text", "plain ~text"),
        ("\x1b[2J\n\t\x7f", "\\x1b[2J\\x0a\\x09\\x7f", "\\x1b[2J\\x0a\\x09\\x7f"),
        ("a\x9bb", "a\\x9bb", "a\\x9bb"),
        ("\udcff", "\\xff", "\\xff"),
        ("safe\u202efdp", "safe\\u202efdp", "safe\\u202efdp"),
        ("zero\u200bwidth", "zero\\u200bwidth", "zero\\u200bwidth"),
        ("grün", "grün", "gr\\xfcn"),
        ("日本", "日本", "\\u65e5\\u672c"),
        ("🙂", "🙂", "\\U0001f642"),
        ("a ##[error]x", "a #\\x23[error]x", "a #\\x23[error]x"),
        ("line\u2028end", "line\\u2028end", "line\\u2028end"),
    ],
)
def test_everything_is_visible_and_on_one_line(text, shown, in_ascii):
    assert visible(text) == shown
    assert visible(text, ascii_only=True) == in_ascii


def test_columns_are_counted_as_a_terminal_does():
    assert [cells(text) for text in ("abc", "日本", "e\u0301")] == [3, 4, 1]


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdefg", 6, "abcde…"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日…"),
    ],
)
def test_long_text_is_cut_by_columns(text, limit, short):
    assert shorten(text, limit, mark="…") == short
