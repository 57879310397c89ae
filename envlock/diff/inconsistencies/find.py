"""Find the inconsistencies of a lock: one row for each family of them."""

from __future__ import annotations

from envlock.diff.inconsistencies.containers import CONTAINERS
from envlock.diff.inconsistencies.hardware import HARDWARE
from envlock.diff.inconsistencies.inconsistency import Family, Inconsistency
from envlock.diff.inconsistencies.languages import LANGUAGES
from envlock.diff.inconsistencies.packages import PACKAGES
from envlock.diff.inconsistencies.programs import PROGRAMS
from envlock.diff.inconsistencies.python import PYTHON
from envlock.diff.inconsistencies.system import SYSTEM
from envlock.model.lock import Lock

_FAMILIES: tuple[Family, ...] = (
    *HARDWARE,
    *PROGRAMS,
    *PYTHON,
    *LANGUAGES,
    *PACKAGES,
    *SYSTEM,
    *CONTAINERS,
)


def find_inconsistencies(lock: Lock) -> list[Inconsistency]:
    """Return the inconsistencies of an environment, the most severe first."""
    found = (one for family in _FAMILIES for one in family(lock))
    return sorted(found, key=lambda one: one.severity.rank)
