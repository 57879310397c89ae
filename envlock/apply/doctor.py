"""Turn the differences of a machine from a lock into an ordered list of what has to be done."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from envlock.apply.gap import Diagnosis, Difference, Gap, State
from envlock.apply.machine import (
    Archive,
    Offers,
    list_differences,
    machine_differences,
    obtainable,
)
from envlock.apply.rules import gap_of
from envlock.apply.running import snapshot_notes
from envlock.targets.base import Target

_READS = ("/var/lib/dpkg/updates/*", "/var/lib/apt/lists/*_Packages*", "/run/reboot-required")
_NOT_OFFERED = "its package lists do not offer this version"


def diagnose(
    found: Iterable[Difference],
    target: Target,
    *,
    lock: str,
    roles: Sequence[str] = (),
    outside: int = 0,
    notes: Sequence[str] = (),
) -> Diagnosis:
    """Return what the machine `target` lacks of the lock named `lock`, in the order of the steps.

    `found` are the differences that count, `outside` how many others there are.
    """
    differences = list(found)
    target.preload(_READS)
    wanted = [archive for each in differences for archive in _archive(each)]
    offers = obtainable(target, wanted) if wanted else Offers()
    gaps = [gap_of(_with_offer(each, offers)) for each in differences]
    gaps += map(gap_of, machine_differences(target))
    gaps += map(gap_of, list_differences(offers, wanted))
    return Diagnosis(
        lock=lock,
        machine=target.reference,
        gaps=tuple(sorted(gaps, key=lambda gap: gap.order)),
        roles=tuple(roles),
        outside=outside,
        notes=(*notes, *(snapshot_notes(target) if gaps else ())),
    )


def _archive(found: Difference) -> Iterable[Archive]:
    """Yield the Debian package that a difference asks for, none if it asks for no version."""
    is_wanted = found.section == "deb" and found.state in (State.MISSING, State.WRONG)
    if is_wanted and found.wanted and found.field in ("", "version"):
        name, _, arch = found.key.partition(":")
        yield name, found.wanted, arch


def _with_offer(found: Difference, offers: Offers) -> Difference:
    """Say of a package that the lists of the machine do not have it."""
    if any(map(offers.lacks, _archive(found))):
        return found._replace(why=f"{found.why}; {_NOT_OFFERED}")
    return found


def only(gaps: Iterable[Gap], sections: Collection[str]) -> tuple[Gap, ...]:
    """Return the gaps of some sections, all of them for none; those of the machine always."""
    return tuple(
        gap
        for gap in gaps
        if not sections or gap.difference.section in sections or gap.difference.section == "machine"
    )
