"""Lines of the text report: the changes of one record, or of one fact, shown together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from envlock.diff.drift import Change, ChangeKind
from envlock.report.wording import fact_name, is_setting, rank

_VERSION_PART = re.compile(r"[0-9A-Za-z]+|[^0-9A-Za-z]")


class Item(NamedTuple):
    """The changes of one record, or of one fact of a section without keys, shown as one line."""

    label: str
    changes: tuple[Change, ...]

    @property
    def lead(self) -> Change:
        """The most severe change, the first of several."""
        return min(self.changes, key=rank)


def items_of(changes: Iterable[Change], clean: Callable[[str], str]) -> Iterator[Item]:
    """Yield an item for each record, or for each fact of a section without keys.

    An unmet expectation is an item of its own.
    """
    for (key, field), found in groupby(
        changes, lambda c: (c.key, c.field if c.is_unmet or not c.key else "")
    ):
        yield Item(clean(key or field), tuple(found))


def varied_items(items: Sequence[Item], room: int) -> list[Item]:
    """Return the `room` worst items in their order; within a severity, some of each rule."""
    seen: Counter[str] = Counter()
    ranked = []
    for position, item in enumerate(items):
        ranked.append((*rank(item.lead), seen[item.lead.rule], position))
        seen[item.lead.rule] += 1
    return [items[position] for *_, position in sorted(sorted(ranked)[:room], key=lambda p: p[-1])]


def is_gap(item: Item) -> bool:
    """True for a record that is known on one side only, because the other has a coverage gap."""
    change = item.changes[0]
    return change.kind is ChangeKind.UNKNOWN and (change.left is None) != (change.right is None)


def field_name(change: Change) -> str:
    """Return the name of a fact before its values, empty where the label makes it clear."""
    if change.is_unmet:
        return fact_name(change)
    if not change.key or change.field in ("", "version", "value"):
        return ""
    return fact_name(change)


def gutter_sign(change: Change) -> str:
    """Return one of ``+ - ~ ?``; a fact that is on one side only is a change of its record."""
    if change.kind is ChangeKind.UNKNOWN:
        return "?"
    if change.kind is ChangeKind.CHANGED or (
        change.field and change.key and not is_setting(change)
    ):
        return "~"
    return "+" if change.kind is ChangeKind.ADDED else "-"


def common_start(left: str, right: str) -> int:
    """Return the length of the common start of two versions, in whole parts."""
    length = 0
    parts = zip(_VERSION_PART.findall(left), _VERSION_PART.findall(right), strict=False)
    for a, b in parts:
        if a != b:
            break
        length += len(a)
    return length
