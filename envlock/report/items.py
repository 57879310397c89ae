"""What a report for people says in one line: the changes of one record, or of one fact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from envlock.diff.drift import Change, ChangeKind


class Item(NamedTuple):
    """All that is said of one record, or of one fact of a single table."""

    label: str
    changes: tuple[Change, ...]

    @property
    def lead(self) -> Change:
        """The most severe change, the first of several."""
        return min(self.changes, key=lambda change: change.severity.rank)


def items_of(changes: Iterable[Change], clean: Callable[[str], str]) -> Iterator[Item]:
    """Yield the changes of each record together, of a single table one by one.

    An expectation that is not met stands for itself.
    """
    for (key, field), found in groupby(
        changes, lambda c: (c.key, c.field if c.is_unmet or not c.key else "")
    ):
        yield Item(clean(key or field), tuple(found))


def varied_items(items: Sequence[Item], room: int) -> list[Item]:
    """Return `room` items, the worst, and of one severity some of each rule, in their order."""
    seen: Counter[str] = Counter()
    placed = []
    for position, item in enumerate(items):
        placed.append((item.lead.severity.rank, seen[item.lead.rule], position))
        seen[item.lead.rule] += 1
    return [items[position] for *_, position in sorted(sorted(placed)[:room], key=lambda p: p[2])]


def is_hole(item: Item) -> bool:
    """True for a record that the other side could not tell of."""
    change = item.changes[0]
    return change.kind is ChangeKind.UNKNOWN and (change.left is None) != (change.right is None)
