"""Many locks with one application."""

from __future__ import annotations

from envlock.diff.engine import Options
from envlock.diff.many.matrix import Matrix, compare_many
from envlock.model.lock import Lock
from envlock.scope.pairing_many import pair_many
from tests.unit.scope.samples import image, laptop, machine


def matrix(**locks: Lock) -> Matrix:
    paired = pair_many(locks)
    return compare_many(paired.locks, Options(scoping=paired.scoping))


def test_only_the_application_decides_which_environments_are_alike() -> None:
    bare = machine("opt-app", "/opt/app", None)
    found = matrix(a=laptop(), b=image(), c=image(), d=bare)
    # The kernel of the machine that names no application is another one.
    assert [group.environments for group in found.groups] == [("a", "b", "c"), ("d",)]
    assert {f.key for f in found.findings if f.lead.is_outside} == {
        "libssl3:amd64",
        "vim:amd64",
    }


def test_the_one_that_deviates_is_found_by_the_role() -> None:
    found = matrix(a=laptop(), b=image(), c=image(versions={"flask": "3.0.0"}))
    (finding,) = [f for f in found.findings if not f.lead.is_outside]
    assert (finding.section, finding.key, finding.lead.scope) == ("python", "app/flask", ("app",))
    assert finding.outliers[0].environments == ("c",)


def test_locks_without_applications_are_compared_as_a_whole() -> None:
    bare = machine("x", "/x", None)
    assert pair_many({"a": bare, "b": bare, "c": bare}).scoping is None
