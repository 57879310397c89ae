"""How many packages differ from the lockfile of a project, explained by the packages that do.

Collectors record the number beside the packages (``declared-differing``): of a package whose
version differs between two sides, it says the same again.
"""

from __future__ import annotations

from collections.abc import Iterable

from envlock.diff.drift import Delta
from envlock.model.text import sort_key, whole_number

_FACT = "declared-differing"


def explain_declared(deltas: Iterable[Delta]) -> list[Delta]:
    """Return the differences; a number that differing versions account for is explained by one."""
    found = list(deltas)
    return [_explained(delta, found) if delta.field == _FACT else delta for delta in found]


def _explained(number: Delta, deltas: list[Delta]) -> Delta:
    versions = [
        delta
        for delta in deltas
        if delta.field == "version"
        and delta.section == number.section
        and delta.key.startswith(f"{number.key}/")
    ]
    more = abs((whole_number(number.right) or 0) - (whole_number(number.left) or 0))
    if number.explained_by or not versions or len(versions) < more:
        return number
    first = min(versions, key=lambda delta: sort_key(delta.key))
    return number._replace(explained_by=first.record)
