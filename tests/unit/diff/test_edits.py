"""The shortest list of edits between two lists of lines."""

from hypothesis import given
from hypothesis import strategies as st

from envlock.diff.edits import edits

lines = st.lists(st.sampled_from("abc"), max_size=12)


@given(lines, lines)
def test_edits_turn_one_into_the_other_in_the_fewest_lines(left, right):
    found = edits(left, right, 24)
    made, place = [], 0
    for edit in found:
        made += left[place : edit.start] + right[edit.other : edit.stop]
        place = edit.end
    assert made + left[place:] == right
    cost = sum(e.end - e.start + e.stop - e.other for e in found)
    assert cost == len(left) + len(right) - 2 * common(left, right)
    assert not cost or edits(left, right, cost - 1) is None


def common(left, right):
    """Return the length of the longest common subsequence, by dynamic programming."""
    above = [0] * (len(right) + 1)
    for a in left:
        row = [0]
        for n, b in enumerate(right):
            row.append(above[n] + 1 if a == b else max(row[n], above[n + 1]))
        above = row
    return above[-1]
