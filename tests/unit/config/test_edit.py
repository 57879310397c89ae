import tomllib

import pytest

from envlock.config.edit import append_table, new_document, set_value
from envlock.errors import ConfigError

HAND = """\
# ours
jobs = 2   # not more

[diff]
# be strict
fail-on = "high" # for now
#ignore = ["deb:old"]

# what we keep
[capture]
files = [
  "/srv/a",  # one
]
"""


def test_a_value_is_replaced_and_comments_stay() -> None:
    edited = set_value(HAND, "diff.fail-on", "low")
    assert edited == HAND.replace('"high" # for now', '"low" # for now')


def test_a_commented_out_line_makes_way() -> None:
    edited = set_value(HAND, "diff.ignore", ("deb:x", 'q"\n'))
    assert edited == HAND.replace('#ignore = ["deb:old"]', 'ignore = ["deb:x", "q\\"\\n"]')


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("jobs", 8),
        ("color", "never"),
        ("diff.require", ("deb", "env")),
        ("diff.ignore", ()),
        ("capture.files", ("/x",)),
        ("store.path", "/sto\\re\x7f é"),
        ("environments.dev.target", "docker:web"),
        ("environments.dev.lock", "x.lock"),
    ],
)
@pytest.mark.parametrize("text", ["", HAND, HAND.rstrip("\n"), new_document()], ids=len)
def test_only_that_value_changes(text: str, key: str, value: object) -> None:
    edited = set_value(text, key, value)
    expected = tomllib.loads(text)
    table = expected
    *above, name = key.split(".")
    for part in above:
        table = table.setdefault(part, {})
    table[name] = list(value) if isinstance(value, tuple) else value
    assert tomllib.loads(edited) == expected
    assert [line for line in text.splitlines() if line.startswith("# ")] == [
        line for line in edited.splitlines() if line.startswith("# ")
    ]


def test_a_commented_line_inside_a_text_is_left_alone() -> None:
    text = '[diff]\nignore = ["""\n#fail-on = "high"\n"""]\n'
    edited = set_value(text, "diff.fail-on", "low")
    assert tomllib.loads(edited) == {"diff": {"ignore": ['#fail-on = "high"\n'], "fail-on": "low"}}


def test_rows_are_appended() -> None:
    row = {"path": "/srv/cache", "action": "drop", "reason": 'a "good" one'}
    once = append_table(HAND, "normalize", row)
    assert once == (
        HAND
        + '\n[[normalize]]\npath = "/srv/cache"\naction = "drop"\nreason = "a \\"good\\" one"\n'
    )
    twice = append_table(once, "normalize", {"path": "/x"})
    assert tomllib.loads(twice)["normalize"] == [row, {"path": "/x"}]
    assert append_table("", "x", {"n": 1, "l": ("a",)}) == '[[x]]\nn = 1\nl = ["a"]\n'


def test_what_cannot_be_edited() -> None:
    for broken in ("jobs = ", "[a]\n[a]"):
        with pytest.raises(ConfigError):
            set_value(broken, "jobs", 1)
        with pytest.raises(ConfigError):
            append_table(broken, "normalize", {"path": "/x"})
    with pytest.raises(ConfigError, match="diff must be a table"):
        set_value("diff = 1", "diff.fail-on", "low")
    with pytest.raises(ConfigError):
        append_table("normalize = 1", "normalize", {"path": "/x"})
