"""Lines of keys in TOML documents."""

import pytest

from envlock.config.toml_position import Keys, line_of

TEXT = """\
# jobs = 0
jobs = 1

[a]
list = [
  "x = 1",
  # [b]
]
text = '''
[b]
key = 2
'''
inline = { deep = 3 }

[b]   # real
key = 2
a.dotted = 1

[[rows]]
x = 1

[[rows]]
x = 2
[rows.sub]
y = 1"""


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("jobs",), 2),
        (("a",), 4),
        (("a", "list"), 5),
        (("a", "text"), 9),
        (("a", "inline", "deep"), 13),
        (("b",), 15),
        (("b", "key"), 16),
        (("b", "a", "dotted"), 17),
        (("rows",), 19),
        (("rows", 0, "x"), 20),
        (("rows", 1), 22),
        (("rows", 1, "x"), 23),
        (("rows", 1, "sub", "y"), 25),
    ],
)
def test_the_line_where_a_value_begins(keys: Keys, line: int) -> None:
    assert line_of(TEXT, keys) == line


def test_a_large_file() -> None:
    text = "".join(f"[[rows]]\nx = [\n{n},\n]\n" for n in range(3000)) + "[last]\nkey = 1\n"
    assert line_of(text, ("last", "key")) == 12002
    assert line_of(text, ("rows", 2999, "x")) == 11998


def test_a_string_of_very_many_lines_has_no_place():
    """Half of the lines are no valid end of a document, and each would have to be tried."""
    text = 'first = 1\nx = """' + "line\n" * 100_000 + '"""\nlast = 2\n'
    assert line_of(text, ("last",)) == 0
