"""What is wrong with a machine whatever the lock says: read from its files, without a network.

Sources: dpkg(1), `/var/lib/dpkg/updates`; reboot-required(8) of update-notifier; sources.list(5).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from envlock.apply.gap import Difference, State
from envlock.apply.running import outdated_programs
from envlock.formats.debian.apt import (
    INDEX_LIMIT,
    LISTS,
    compression_of_index,
    decompress_index,
    find_in_index,
)
from envlock.model.severity import Severity
from envlock.targets.base import Target

SECTION = "machine"
_UPDATES = "/var/lib/dpkg/updates"
_REBOOT = ("/run/reboot-required", "/var/run/reboot-required")
_JOURNAL = re.compile(r"[0-9]+\Z")
_SHOWN = 6
_UPDATE = (("apt-get", "update"),)

Archive = tuple[str, str, str]
"""Name, version and architecture of a Debian package."""


def machine_differences(target: Target) -> Iterator[Difference]:
    """Yield what has to be mended before anything is installed."""
    if any(map(_JOURNAL.match, _names(target, _UPDATES))):
        yield _difference(
            "dpkg",
            Severity.CRITICAL,
            "dpkg was interrupted: no package can be installed before it has finished",
            fix=(("dpkg", "--configure", "-a"),),
        )
    if any(_is_there(target, path) for path in _REBOOT):
        yield _difference(
            "restart",
            Severity.MEDIUM,
            "a restart is pending: programs still use the files of before an update",
            following="restart the machine",
        )
    if programs := outdated_programs(target):
        yield _difference(
            "running programs",
            Severity.MEDIUM,
            f"{_listed(programs)} still use libraries of before an update",
            following="restart what uses them, or the machine",
        )


class Offers(NamedTuple):
    """What the package lists of a machine offer: those of the last ``apt-get update``.

    `has_lists` is False on a machine without any.  `is_whole`: every list could be read, so that
    what is not among `archives` is not offered.
    """

    archives: frozenset[Archive] = frozenset()
    has_lists: bool = False
    is_whole: bool = True

    def lacks(self, archive: Archive) -> bool:
        """True when a package is known not to be offered."""
        return self.has_lists and self.is_whole and archive not in self.archives


def obtainable(target: Target, wanted: Collection[Archive]) -> Offers:
    """Return which of the packages the lists of a machine offer, without asking a network."""
    found: set[Archive] = set()
    names = [name for name in _names(target, LISTS) if "_Packages" in name]
    is_whole = True
    for name in names:
        compression = compression_of_index(name)
        if compression is None:
            is_whole = False
            continue
        try:
            index = decompress_index(target.read(f"{LISTS}/{name}", INDEX_LIMIT), compression)
        except (OSError, ValueError):
            is_whole = False
            continue
        found.update(listed[:3] for listed in find_in_index(index, wanted))
    return Offers(frozenset(found), bool(names), is_whole)


def list_differences(offers: Offers, wanted: Sequence[Archive]) -> Iterator[Difference]:
    """Yield one difference if the package lists must be read again before an installation."""
    missing = sum(map(offers.lacks, wanted))
    if not wanted or (offers.has_lists and not missing):
        return
    why = f"its package lists do not have {missing} of the {len(wanted)} packages that it lacks"
    if not offers.has_lists:
        why = "this machine has no package lists, so apt knows no package"
    yield _difference("package lists", Severity.MEDIUM, why, fix=_UPDATE)


def _difference(
    key: str,
    severity: Severity,
    why: str,
    *,
    fix: tuple[tuple[str, ...], ...] = (),
    following: str = "",
) -> Difference:
    return Difference(
        id="",
        section=SECTION,
        key=key,
        field="",
        state=State.WRONG,
        wanted=None,
        present=None,
        severity=severity,
        why=why,
        fix=fix,
        next=following,
    )


def _listed(names: Sequence[str]) -> str:
    """Return a few names, and how many more there are."""
    more = f" and {len(names) - _SHOWN:,} more programs" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _names(target: Target, path: str) -> Sequence[str]:
    try:
        return target.names(path)
    except OSError:
        return ()


def _is_there(target: Target, path: str) -> bool:
    try:
        target.stat(path)
    except OSError:
        return False
    return True
