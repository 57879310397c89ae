"""Checking lockfiles."""

from __future__ import annotations

from pathlib import Path

from envlock.lockfile.check import problems

GOLDEN = Path(__file__).parents[2] / "golden/lock-1.0.lock"


def test_check_finds_text_that_is_not_canonical_and_dangling_keys():
    text = GOLDEN.read_text()
    assert any("canonical" in p for p in problems((text + "\n# x\n").encode(), "x"))
    orphan = text.replace('[python."app"]\nversion = "3.11.7"\nimplementation = "cpython"\n\n', "")
    assert any("no environment is called app" in p for p in problems(orphan.encode(), "x"))
    bad = text.replace('mode = "0644"', 'mode = "rw-r--r--"')
    assert any("file" in p for p in problems(bad.encode(), "x"))
