"""Judge differences of drivers and of CUDA by whether the one still runs on the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from envlock.diff.drift import ChangeKind, Delta
from envlock.model.cuda import (
    DRIVER,
    Requirement,
    driver_of,
    forward_driver,
    is_below,
    numbers,
    requirement,
)
from envlock.model.lock import Lock

BELOW = "cuda-driver"
FORWARD = "cuda-forward"

Side = tuple[str, Lock]
"""A name and the lock it stands for."""


def with_floor(deltas: Iterable[Delta], left: Side, right: Side) -> Iterator[Delta]:
    """Yield every difference; one of a driver or a CUDA says so where a driver is too old.

    The CUDA of either side counts for the driver of both: what runs here is to run there.
    """
    sides = (left, right)
    needs = [(name, need) for name, lock in sides if (need := requirement(lock))]
    need = max((need for _, need in needs), key=lambda need: numbers(need.driver), default=None)
    below = [side for side in sides if need and is_below(driver_of(side[1]), need.driver)]
    if need is None or not below:
        yield from deltas
        return
    where = " and ".join(name for name, other in needs if other.driver == need.driver)
    aside, note = _judgement(need, where, below)
    for delta in deltas:
        if _is_about(delta, need):
            yield delta._replace(aside=aside, note=note, explained_by="")
        else:
            yield delta


def _is_about(delta: Delta, need: Requirement) -> bool:
    if delta.kind in (ChangeKind.UNKNOWN, ChangeKind.REMOVED):
        return False
    if (delta.section, delta.key) == DRIVER:
        return delta.field == "version"
    return delta.record == need.runtime.record and delta.field in ("", "version", "soname")


def _judgement(need: Requirement, where: str, below: Iterable[Side]) -> tuple[str, str]:
    """Return the rule and the reason: the sides `below` have a driver older than needed."""
    has = " and ".join(f"{name} has {driver_of(lock)}" for name, lock in below)
    note = f"CUDA {need.runtime.version} in {where} needs driver {need.driver} or newer; {has}"
    if all(numbers(forward_driver(lock)) >= numbers(need.driver) for _, lock in below):
        return FORWARD, f"{note}, and a forward compatibility package for data-center GPUs"
    return BELOW, note
