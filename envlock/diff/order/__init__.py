"""Which of two versions is newer, by the rules of each ecosystem.  Never by comparing strings."""

from __future__ import annotations

from typing import assert_never

from envlock.diff.drift import Relation
from envlock.diff.order import conda, deb, dotted, gem, pep440, semver
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


def _compare(order: Order, left: str, right: str) -> int:
    match order:
        case Order.DEB:
            return deb.compare(left, right)
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
