"""Judge differences of NVIDIA drivers and CUDA by whether the driver can run the CUDA."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from envlock.diff.drift import ChangeKind, Delta
from envlock.diff.side import Side
from envlock.model.cuda import (
    DRIVER,
    Requirement,
    driver_of,
    forward_driver,
    is_below,
    numbers,
    requirement,
)

BELOW = "cuda-driver"
FORWARD = "cuda-forward"


def with_driver_requirement(deltas: Iterable[Delta], left: Side, right: Side) -> Iterator[Delta]:
    """Yield every difference; those of a driver or CUDA get a special rule if a driver is too old.

    The CUDA of either side must run on the drivers of both.
    """
    sides = (left, right)
    needs = [(side.name, need) for side in sides if (need := requirement(side.lock))]
    need = max((need for _, need in needs), key=lambda need: numbers(need.driver), default=None)
    below = [side for side in sides if need and is_below(driver_of(side.lock), need.driver)]
    if need is None or not below:
        yield from deltas
        return
    where = " and ".join(name for name, other in needs if other.driver == need.driver)
    special_rule, note = _judgement(need, where, below)
    for delta in deltas:
        if _is_about(delta, need):
            yield delta._replace(special_rule=special_rule, note=note, explained_by="")
        else:
            yield delta


def _is_about(delta: Delta, need: Requirement) -> bool:
    if delta.kind in (ChangeKind.UNKNOWN, ChangeKind.REMOVED):
        return False
    if (delta.section, delta.key) == DRIVER:
        return delta.field == "version"
    return delta.record == need.runtime.record and delta.field in ("", "version", "soname")


def _judgement(need: Requirement, where: str, below: Iterable[Side]) -> tuple[str, str]:
    """Return special rule and reason; the drivers of the sides `below` are too old."""
    has = " and ".join(f"{side.name} has {driver_of(side.lock)}" for side in below)
    note = f"CUDA {need.runtime.version} in {where} needs driver {need.driver} or newer; {has}"
    if all(numbers(forward_driver(side.lock)) >= numbers(need.driver) for side in below):
        return FORWARD, f"{note}, and a forward compatibility package for data-center GPUs"
    return BELOW, note
