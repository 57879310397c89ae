"""Laws of the lockfile: both parsers read what is written; digests depend only on content."""

from __future__ import annotations

import contextlib
import random
import tomllib

from hypothesis import given
from hypothesis import strategies as st

from envlock.errors import LockfileError
from envlock.lockfile.check import problems
from envlock.lockfile.merge import merge_locks
from envlock.lockfile.reader import parse_lock
from envlock.lockfile.schema import violations
from envlock.lockfile.writer import render_lock
from envlock.model.digest import digests
from envlock.model.lock import Lock
from tests.property.strategies import locks


@given(locks())
def test_a_written_lock_is_read_back(lock):
    assert parse_lock(render_lock(lock), "x") == lock


@given(locks())
def test_the_fast_parser_agrees_with_tomllib(lock):
    raw = render_lock(lock)
    slow = parse_lock(raw + b"# a comment, so that tomllib parses it\n", "x")
    assert slow == parse_lock(raw, "x")
    assert tomllib.loads(raw.decode())["lock-version"] == "1.0"


@given(locks())
def test_rendering_is_canonical(lock):
    raw = render_lock(lock)
    assert render_lock(parse_lock(raw, "x")) == raw


@given(locks(), st.randoms(use_true_random=False))
def test_digests_ignore_order_comments_and_line_ends(lock, chance: random.Random):
    head, *tables = render_lock(lock).decode().split("\n[")
    chance.shuffle(tables)
    text = "\n[".join([head, *(f"{table.rstrip()}\n# c\n" for table in tables)])
    for form in (text, text.replace("\n", "\r\n")):
        assert digests(parse_lock(form.encode(), "x")) == digests(lock)


@given(locks(), locks())
def test_equal_digests_mean_equal_identity(one, two):
    if digests(one) == digests(two):
        assert digests(two) == digests(one)
    if one.sections == two.sections:
        assert digests(one) == digests(two)


@given(locks())
def test_check_finds_a_written_lock_canonical(lock):
    assert not [p for p in problems(render_lock(lock), "x") if "canonical" in p or "TOML" in p]


@given(st.binary(max_size=300))
def test_arbitrary_bytes_raise_only_lockfile_errors(raw):
    with contextlib.suppress(LockfileError):
        parse_lock(raw, "x")


@given(st.data())
def test_a_damaged_lock_raises_only_lockfile_errors(data):
    raw = bytearray(render_lock(data.draw(locks())))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    with contextlib.suppress(LockfileError):
        parse_lock(bytes(raw), "x")


@given(locks(), locks())
def test_a_merge_takes_the_changes_of_each_side(base, ours):
    assert merge_locks(base, ours, base).lock == Lock.of(ours.records(), ours.coverage)
    merged = merge_locks(base, base, ours)
    assert not merged.conflicts
    assert merged.lock.sections == ours.sections
    assert merge_locks(base, ours, ours).conflicts == ()


def test_the_schema_accepts_and_refuses():
    assert violations({"lock-version": "1.0"}) == []
    assert violations({"lock-version": "2"})
    assert violations({"lock-version": "1.0", "deb": {"x:amd64": {"mark": "auto"}}})
    assert violations({"lock-version": "1.0", "env": {"A": {"value": "x", "secret": "present"}}})
