"""The walk of a closure: how many files and records it follows."""

from __future__ import annotations

import pytest

from envlock.scope.closure import closure
from envlock.scope.edges import EDGES
from envlock.scope.graph import File, Need
from tests.unit.scope.conftest import Machine


@pytest.mark.parametrize(("most", "is_cut"), [(5, False), (4, True)])
def test_a_closure_of_the_largest_size(machine: Machine, most: int, is_cut: bool) -> None:
    paths = [machine.program(f"/usr/bin/p{number}", owner=f"deb p{number}") for number in range(5)]
    start = [Need(File(path)) for path in paths]
    members = closure("app", start, EDGES, machine.around(), most)
    assert len(members) == 5
    told = [gap.reason for gap in machine.view.gaps]
    assert told == (["its closure has more than 4 files"] if is_cut else [])
