"""Credentials in URLs are found in one pass, and exactly as one regular expression says."""

from __future__ import annotations

import re
import time

from hypothesis import given
from hypothesis import strategies as st

from envlock.secrets.urls import holds_credentials

EXPRESSION = re.compile(
    r"[a-z][a-z0-9+.-]*://[^/?#\s\"']*:[^/?#\s\"'@]*@|://[^/?#\s\"'@:]{16,}@",
    re.IGNORECASE | re.ASCII,
)
"""What is meant; it takes the square of the time on some texts."""
PIECES = ("a", "A", "://", ":", "/", "@", "?", "#", " ", "'", "1", ".", "b" * 16, "é")


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_what_is_found(text):
    assert holds_credentials(text) == bool(EXPRESSION.search(text))


def test_a_long_text_takes_a_moment():
    begin = time.process_time()
    for text in ("a" * 1_000_000, "a://" * 250_000, "a://" + ":" * 1_000_000, "://@" * 250_000):
        holds_credentials(text)
    assert time.process_time() - begin < 5
