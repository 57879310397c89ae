"""Fixtures of the sample reports; reports never change, so a session shares them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from envlock.diff.drift import DriftReport
from envlock.diff.many.matrix import Matrix
from tests.unit.report import samples


@pytest.fixture(scope="session")
def everything() -> DriftReport:
    """Return a report with every kind, severity, relation and status."""
    return samples.everything()


@pytest.fixture(scope="session")
def scoped() -> DriftReport:
    """Return a report of two applications."""
    return samples.scoped()


@pytest.fixture(scope="session")
def hostile() -> DriftReport:
    """Return a report in which every text is hostile."""
    return samples.hostile()


@pytest.fixture(scope="session")
def many() -> Callable[[int], DriftReport]:
    """Return a function that makes a report of so many changes."""
    return samples.many


@pytest.fixture(scope="session")
def matrix() -> Matrix:
    """Return a comparison of 19 environments."""
    return samples.fleet()


@pytest.fixture(scope="session")
def hostile_texts() -> tuple[str, ...]:
    """Return the names and values of the hostile report."""
    return samples.HOSTILE
