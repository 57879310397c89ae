"""Which data of a service a path is part of."""

from __future__ import annotations

import time

import pytest

from envlock.materialize.tree.rule_book import RuleBook
from envlock.materialize.tree.state_rules import state_rules
from envlock.model.lock import Lock
from envlock.model.state import StateData, StateMap
from envlock.model.tree import Entry, EntryType, FileClass, Row

MANY = 20_000
SECONDS = 10.0
"""Looking at all data for each path would take minutes."""
DATA = tuple(
    StateData(path, "any")
    for path in ("/srv/pg", "/srv/pg/inner", "/srv/shop/shop.db", "/srv/shop", "/srv/x.db")
)
PATHS = (
    "/srv/pg", "/srv/pg-wal", "/srv/pg/base/1", "/srv/pg/inner", "/srv/pg/inner/1/2",
    "/srv/pg/inner-wal", "/srv/pgx", "/srv/pgx/1", "/srv/shop/shop.db-wal", "/srv/shop/shop.db-shm",
    "/srv/shop/shop.db-journal", "/srv/shop/shop.db/odd", "/srv/shop/other", "/srv/x.db-wal",
    "/srv/x.db-other", "/srv", "/", "/-wal", "/etc/passwd",
)  # fmt: skip


def of_all(path: str) -> StateData | None:
    covering = [each for each in DATA if each.covers(path)]
    return max(covering, key=lambda each: len(each.path), default=None)


@pytest.mark.parametrize("paths", [PATHS, PATHS[::-1]], ids=["in order", "reversed"])
def test_the_innermost_data_that_covers_a_path_is_found(paths):
    found = StateMap(DATA)
    assert {path: found.at(path) for path in paths} == {path: of_all(path) for path in paths}
    assert StateMap().at("/srv/pg/base/1") is None


def test_a_path_is_found_among_many_data_at_once():
    began = time.perf_counter()
    data = [StateData(f"/srv/d{at}", "redis") for at in range(MANY)]
    found = StateMap(data)
    assert all(found.at(f"{each.path}/file") is each for each in data)
    assert all(found.at(f"/opt/d{at}/file") is None for at in range(MANY))
    book = RuleBook(
        state_rules(Lock(sections={"state": {each.path: {"engine": "x"} for each in data}}))
    )
    for each in data:
        row = Row(Entry(f"{each.path}/file", EntryType.FILE, 0o644), FileClass.STATE)
        rule = book.rule_for(row)
        assert rule is not None
        assert rule.id == f"state:{each.path}"
    assert time.perf_counter() - began < SECONDS


def test_the_first_rule_counts_whether_it_names_a_path_or_a_pattern():
    book = RuleBook(
        state_rules(Lock(sections={"state": {"/proc/data": {"engine": "x", "kept": "whole"}}}))
    )

    def decided(path: str) -> str:
        rule = book.rule_for(Row(Entry(path, EntryType.FILE, 0o644), FileClass.STATE))
        return rule.action.value if rule else ""

    assert decided("/proc/data/1") == "keep"
    assert decided("/proc/data") == "keep"
    assert decided("/proc/other") == "drop"
    assert decided("/srv/other") == ""
