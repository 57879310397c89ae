"""Compare versions by the rules of each ecosystem, never as strings."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from envlock.model.facts import VersionOrder
from envlock.versions import alpm, apk, conda, deb, dotted, gem, pep440, rpm, semver
from envlock.versions.relation import Relation


def relate(order: VersionOrder, left: str, right: str) -> Relation:
    """Return whether `right` is newer or older than `left`; without an order they only differ."""
    try:
        sign = _compare(order, left, right)
    except ValueError:
        return Relation.DIFFERS
    if sign:
        return Relation.NEWER if sign < 0 else Relation.OLDER
    return Relation.DIFFERS


def compare(order: VersionOrder, left: str, right: str) -> int:
    """Return -1, 0 or 1 as `left` is older than, the same as, or newer than `right`.

    Raise ValueError if the versions have no order.
    """
    if order is VersionOrder.NONE:
        raise ValueError("these versions have no order")
    return _compare(order, left, right)


def upstream(order: VersionOrder, version: str) -> str:
    """Return a version without the epoch and revision that a distribution adds.

    The versions of other ecosystems have none and are returned as they are.  Raise ValueError for
    a version that its order does not allow.
    """
    parse = _UPSTREAM.get(order)
    return parse(version) if parse else version


def _compare(order: VersionOrder, left: str, right: str) -> int:
    return _COMPARE[order](left, right)


_COMPARE: Mapping[VersionOrder, Callable[[str, str], int]] = {
    VersionOrder.DEB: deb.compare,
    VersionOrder.RPM: rpm.compare,
    VersionOrder.APK: apk.compare,
    VersionOrder.ALPM: alpm.compare,
    VersionOrder.PEP440: pep440.compare,
    VersionOrder.SEMVER: semver.compare,
    VersionOrder.DOTTED: dotted.compare,
    VersionOrder.CONDA: conda.compare,
    VersionOrder.GEM: gem.compare,
    VersionOrder.NONE: lambda _left, _right: 0,
}

_UPSTREAM: Mapping[VersionOrder, Callable[[str], str]] = {
    VersionOrder.DEB: deb.upstream,
    VersionOrder.RPM: rpm.upstream,
    VersionOrder.APK: apk.upstream,
    VersionOrder.ALPM: alpm.upstream,
}
