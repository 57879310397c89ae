"""Globs of many wildcards match what those of few do, and never try a wildcard twice."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envlock.model.glob import compile_globs

TOKENS = ("*", "**", "**/", "/", "a", "b", "?", "ab", ".", "[")
PATHS = st.text("ab/c.[", max_size=14)


def by_trying(pattern: str) -> re.Pattern[str]:
    """Return what a glob means: every wildcard is tried at every length."""
    plain = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    tokens = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    text = "".join(plain.get(token) or re.escape(token) for token in tokens)
    return re.compile(rf"{text}\Z", re.DOTALL)


@given(st.lists(st.sampled_from(TOKENS), max_size=9).map("".join), st.lists(PATHS, max_size=20))
def test_a_glob_matches_what_trying_finds(pattern: str, paths: list[str]) -> None:
    expected = by_trying(pattern)
    match = compile_globs((pattern,)).match
    assert [bool(match(path)) for path in paths] == [bool(expected.match(path)) for path in paths]


PATTERNS = (
    "/" + "a*" * 30 + "b",
    "**a" * 30 + "b",
    "**/a/" * 15 + "b",
    "**" * 30 + "b",
    "**a*b",
    "**a*a*a*b",
    "/**/*a*b/**/c*d*e",
    "/*a*/*a*/*a*/**/*a*a*a",
    "/" + "?*" * 30 + "b",
)
UNITS = ("a", "/a", "a/", "ab/", "b", "/", "aa/b")


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_long_path_takes_a_moment(pattern: str) -> None:
    match = compile_globs((pattern,)).match
    begin = time.process_time()
    for unit in UNITS:
        match("/" + unit * (4000 // len(unit)))
    assert time.process_time() - begin < 2
