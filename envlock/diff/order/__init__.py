"""Which of two versions is newer, by the rules of each ecosystem.  Never by comparing strings."""

from __future__ import annotations

from typing import assert_never

from envlock.diff.drift import Relation
from envlock.diff.order import alpm, apk, conda, deb, dotted, gem, pep440, rpm, semver
from envlock.model.facts import Order


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
    match order:
        case Order.DEB:
            return deb.compare(left, right)
        case Order.RPM:
            return rpm.compare(left, right)
        case Order.APK:
            return apk.compare(left, right)
        case Order.ALPM:
            return alpm.compare(left, right)
        case Order.PEP440:
            return pep440.compare(left, right)
        case Order.SEMVER:
            return semver.compare(left, right)
        case Order.DOTTED:
            return dotted.compare(left, right)
        case Order.CONDA:
            return conda.compare(left, right)
        case Order.GEM:
            return gem.compare(left, right)
        case Order.NONE:
            return 0
        case _:
            assert_never(order)
