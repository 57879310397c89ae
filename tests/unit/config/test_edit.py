"""Edits of envlock.toml."""

import tomllib

import pytest

from envlock.config.edit import append_table
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


def test_a_document_that_cannot_be_edited() -> None:
    for broken in ("jobs = ", "[a]\n[a]"):
        with pytest.raises(ConfigError):
            append_table(broken, "normalize", {"path": "/x"})
    with pytest.raises(ConfigError):
        append_table("normalize = 1", "normalize", {"path": "/x"})
