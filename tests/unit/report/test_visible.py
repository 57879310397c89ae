"""Text made safe for a terminal, and its width there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envlock.report.visible import cells, shorten, shorten_pair, visible


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


class TestPairs:
    def test_short_texts_stay(self):
        assert shorten_pair("a", "b", 10, mark="…") == ("a", "b")

    def test_long_texts_are_cut_around_the_place_where_they_differ(self):
        left = "NodeName=n1 CPUs=32 Sockets=2 RealMemory=256000 State=UNKNOWN"
        right = left.replace("256000", "128000")
        assert shorten_pair(left, right, 36, mark="…") == (
            "…RealMemory=256000 State=UNKNOWN",
            "…RealMemory=128000 State=UNKNOWN",
        )

    def test_a_difference_at_the_start_keeps_the_start(self):
        assert shorten_pair("a" * 50, "b" * 50, 10, mark="…") == ("a" * 9 + "…", "b" * 9 + "…")

    @given(st.text(max_size=80), st.text(max_size=80), st.integers(24, 60))
    def test_different_texts_never_look_the_same(self, left, right, limit):
        short = shorten_pair(left, right, limit, mark="…")
        assert (short[0] == short[1]) == (left == right)
        assert max(map(cells, short)) <= max(limit, 0)
