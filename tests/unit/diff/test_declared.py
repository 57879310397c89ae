"""The number of packages that differ from a lockfile, beside those that do."""

from __future__ import annotations

import pytest

from envlock.diff.engine import compare
from envlock.model.lock import Lock
from envlock.model.record import Record


def project(differing: str = "", **versions: str) -> Lock:
    facts = {"path": "/srv/app", "declared-differing": differing}
    environment = Record("npm", "app", {name: text for name, text in facts.items() if text})
    packages = [Record("npm", f"app/{name}", {"version": text}) for name, text in versions.items()]
    return Lock.of([environment, *packages])


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (project(semver="7.8.6"), project("1", semver="7.6.3"), "npm app/semver"),
        (project("1", semver="7.6.3"), project(semver="7.8.6"), "npm app/semver"),
        (project("2", a="1", b="1"), project("1", a="2", b="2"), "npm app/a"),
        (project(a="1", b="1"), project("2", a="2", b="1"), ""),
        (project(a="1"), project("1", a="1"), ""),
    ],
)
def test_a_number_is_explained_when_versions_account_for_it(left, right, expected):
    (number,) = [c for c in compare(left, right).changes if c.field == "declared-differing"]
    assert number.explained_by == expected


def test_packages_of_another_project_explain_nothing():
    other = Record("npm", "app2/a", {"version": "1"})
    left, right = ([*project(n, a="1").records()] for n in ("", "1"))
    changes = compare(
        Lock.of([*left, other]), Lock.of([*right, other._replace(facts={"version": "2"})])
    ).changes
    assert {c.field: c.explained_by for c in changes} == {"declared-differing": "", "version": ""}
