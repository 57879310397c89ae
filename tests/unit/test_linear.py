"""Every regular expression of the package takes time in proportion to the text, however hard.

All compiled patterns are found: those that the modules hold, and those written in a call inside a
function.  Each is tried on its own pieces, repeated; only ratios of times are compared.
`tests/unit/secrets/test_linear.py` tries those that look for secrets on many more texts.
"""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Iterator

import pytest

from tests.unit.patterns import (
    AnyPattern,
    all_patterns,
    is_bound_to_the_start,
    pieces_of,
    unread_calls,
    ways_in,
)

SHORT, LONG, MOST = 1000, 4000, 10
"""Lengths of two texts, and how many times as much the long one may cost: the square is 16."""
FEW, SOME = 12, 22
"""How often a unit is repeated to see whether each doubles the time."""
FLOOR = 0.008
"""Seconds below which a time is noise; what is quadratic needs more for the long text."""
COMMON = (" ", "\n", "a", "0", "-", ".", "/", "=", ":", "a ", "a\n", " \n", "a=")
COMPILED_FROM_PARTS = {
    "capture/collectors/system/dangling.py:_links": "patterns of a table, found there",
    "capture/files/rule_table.py:__init__": "escaped names",
    "model/glob.py:__init__": "globs: tests/property/test_globs.py",
    "model/glob.py:compile_globs": "globs: tests/property/test_globs.py",
    "model/scope_names.py:__init__": "escaped names of environments",
    "secrets/phrases.py:_phrase": "a table, held by the module afterwards",
    "secrets/plain_values.py:_pattern": "a table, held by the module afterwards",
    "secrets/positional.py:_forms": "a table, held by the module afterwards",
    "secrets/shapes.py:_compile": "a table, held by the module afterwards",
    "targets/local/walk_worker.py:_matcher": "globs: tests/property/test_globs.py",
}
BOUND = {
    "envlock.formats.system.cron._SYSTEM": "asked from the start of a line, under another name",
    "envlock.formats.system.cron._ACCOUNT": "the same",
    "envlock.formats.system.cron._ANACRON": "the same",
    "envlock.capture.discover.ignored_jobs._STRICT": "asked from the start of a name",
}
PATTERNS = {name: found for name, found in all_patterns().items() if "secrets" not in name}


def test_all_patterns_are_found() -> None:
    assert len(PATTERNS) > 250
    assert unread_calls() == set(COMPILED_FROM_PARTS)


def texts(pattern: AnyPattern) -> Iterator[str]:
    """Yield the units of texts that are hard for a pattern."""
    pieces = pieces_of(pattern)[:8]
    yield from dict.fromkeys(
        (*pieces, *COMMON, *(f"{a}{b}" for a in pieces[:3] for b in pieces[:3]))
    )


def run(pattern: AnyPattern, text: str, *, is_bound: bool) -> float:
    subject = text.encode("latin-1", "replace") if isinstance(pattern.pattern, bytes) else text
    begin = time.process_time()
    pattern.match(subject)
    if not is_bound:
        for _ in pattern.finditer(subject):
            pass
    return time.process_time() - begin


def grows_too_fast(pattern: AnyPattern, unit: str, *, is_bound: bool) -> bool:
    ask = functools.partial(run, pattern, is_bound=is_bound)
    for _ in range(4):
        long = ask(unit * (LONG // len(unit)) + "\x01")
        if long < FLOOR or long < MOST * ask(unit * (SHORT // len(unit)) + "\x01"):
            return False
    return True


@pytest.mark.parametrize("name", PATTERNS)
def test_time_grows_with_the_text(name: str) -> None:
    pattern, is_bound = PATTERNS[name], name in BOUND or is_bound_to_the_start(name)
    slow = [unit for unit in texts(pattern) if grows_too_fast(pattern, unit, is_bound=is_bound)]
    assert slow == []


@pytest.mark.parametrize("name", PATTERNS)
def test_time_grows_with_what_a_repetition_takes(name: str) -> None:
    pattern = PATTERNS[name]
    slow = [way for way in ways_in(pattern) if doubles(pattern, *way) or squares(pattern, *way)]
    assert slow == []


def doubles(pattern: AnyPattern, before: str, unit: str) -> bool:
    """Return whether each further unit doubles the time, as it does where two ways lead on."""
    text = f"{before}{unit * SOME}\x01"
    long = run(pattern, text, is_bound=True)
    return long > 4 * FLOOR and long > 16 * run(pattern, f"{before}{unit * FEW}", is_bound=True)


def squares(pattern: AnyPattern, before: str, unit: str) -> bool:
    """Return whether the time of one match grows with the square of the text behind `before`."""
    for _ in range(4):
        long = run(pattern, f"{before}{unit * (LONG // len(unit))}\x01", is_bound=True)
        short = run(pattern, f"{before}{unit * (SHORT // len(unit))}\x01", is_bound=True)
        if long < FLOOR or long < MOST * short:
            return False
    return True


def test_a_pattern_with_two_ways_is_found() -> None:
    pattern = re.compile(r"state = '((?:[^'\\]|\\.|\\\n)*)'", re.DOTALL)
    assert any(doubles(pattern, *way) for way in ways_in(pattern))
