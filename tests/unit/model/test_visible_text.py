"""Characters that mislead a reader are written as codes, in locks and on a terminal."""

from __future__ import annotations

import pytest

from envlock.lockfile.reader import parse_lock
from envlock.lockfile.writer import render_lock
from envlock.model.lock import Lock
from envlock.model.record import Record
from envlock.model.text import make_visible

HIDDEN = (
    "\u202e", "\u2066", "\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u061c", "\x85",
    "\u2028", "\U000e0041",
)  # fmt: skip


@pytest.mark.parametrize("char", HIDDEN)
def test_it_is_escaped_everywhere_and_read_back(char: str) -> None:
    assert char not in make_visible(f"a{char}b")
    lock = Lock.of([Record("env", f"A{char}", {"value": f"x{char}y"})])
    raw = render_lock(lock)
    assert char not in raw.decode()
    assert parse_lock(raw, where="x") == lock


@pytest.mark.parametrize("text", ["naïve ü", "日本語", "עברית العربية", "emoji 😀", "a\\b"])
def test_ordinary_text_is_kept(text: str) -> None:
    assert make_visible(text) == text
    assert (
        text.replace("\\", "\\" * 4)
        in render_lock(Lock.of([Record("env", "A", {"value": text})])).decode()
    )


def test_what_may_stay_stays() -> None:
    assert make_visible("a\nb\x1b", keep="\n") == "a\nb\\x1b"
