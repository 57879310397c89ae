"""Which of two versions is newer, by the rules of each ecosystem.  Never by comparing strings."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from envlock.model.facts import Order
from envlock.versions import alpm, apk, conda, deb, dotted, gem, pep440, rpm, semver
from envlock.versions.relation import Relation


def relate(order: Order, left: str, right: str) -> Relation:
    """Return how `right` stands to `left`; versions without an order only differ."""
    try:
        sign = _compare(order, left, right)
    except ValueError:
        return Relation.DIFFERS
    if sign:
        return Relation.NEWER if sign < 0 else Relation.OLDER
    return Relation.DIFFERS


def compare(order: Order, left: str, right: str) -> int:
    """Return -1, 0 or 1 as `left` is older than, the same as, or newer than `right`.

    Raise ValueError for what has no order.
    """
    if order is Order.NONE:
        raise ValueError("these versions have no order")
    return _compare(order, left, right)


def _compare(order: Order, left: str, right: str) -> int:
    return _COMPARE[order](left, right)


_COMPARE: Mapping[Order, Callable[[str, str], int]] = {
    Order.DEB: deb.compare,
    Order.RPM: rpm.compare,
    Order.APK: apk.compare,
    Order.ALPM: alpm.compare,
    Order.PEP440: pep440.compare,
    Order.SEMVER: semver.compare,
    Order.DOTTED: dotted.compare,
    Order.CONDA: conda.compare,
    Order.GEM: gem.compare,
    Order.NONE: lambda _left, _right: 0,
}
