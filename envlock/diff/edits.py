"""The shortest edit script between two lists of lines, up to a limit.

E. W. Myers, An O(ND) Difference Algorithm and Its Variations, Algorithmica 1 (1986).  The standard
library's difflib has no limit: two hostile files of a few thousand lines take it minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Edit(NamedTuple):
    """Left lines `start` to `end` (exclusive) become right lines `other` to `stop` (exclusive)."""

    start: int
    end: int
    other: int
    stop: int


def edits(left: Sequence[str], right: Sequence[str], limit: int) -> list[Edit] | None:
    """Return the edits that turn `left` into `right`, None if they change over `limit` lines."""
    head = 0
    shorter = min(len(left), len(right))
    while head < shorter and left[head] == right[head]:
        head += 1
    tail = 0
    while tail < shorter - head and left[-1 - tail] == right[-1 - tail]:
        tail += 1
    before, after = left[head : len(left) - tail], right[head : len(right) - tail]
    steps = _search(before, after, limit)
    return None if steps is None else [_shifted(edit, head) for edit in _grouped(steps)]


def _search(a: Sequence[str], b: Sequence[str], limit: int) -> list[Edit] | None:
    """Return single deletions and insertions in order, None if more than `limit` are needed."""
    furthest = {1: 0}
    history: list[dict[int, int]] = []
    for depth in range(min(limit, len(a) + len(b)) + 1):
        history.append(dict(furthest))
        for diagonal in range(-depth, depth + 1, 2):
            x = _next(furthest, diagonal, depth)
            while x < len(a) and 0 <= x - diagonal < len(b) and a[x] == b[x - diagonal]:
                x += 1
            furthest[diagonal] = x
            if x >= len(a) and x - diagonal >= len(b):
                return _backtrack(history, len(a), len(b))
    return None


def _next(furthest: dict[int, int], diagonal: int, depth: int) -> int:
    down = diagonal == -depth or (
        diagonal != depth and furthest[diagonal - 1] < furthest[diagonal + 1]
    )
    return furthest[diagonal + 1] if down else furthest[diagonal - 1] + 1


def _backtrack(history: list[dict[int, int]], x: int, y: int) -> list[Edit]:
    steps: list[Edit] = []
    for depth in range(len(history) - 1, 0, -1):
        furthest, diagonal = history[depth], x - y
        down = diagonal == -depth or (
            diagonal != depth and furthest[diagonal - 1] < furthest[diagonal + 1]
        )
        before = diagonal + 1 if down else diagonal - 1
        x = furthest[before]
        y = x - before
        steps.append(Edit(x, x, y, y + 1) if down else Edit(x, x + 1, y, y))
    return steps[::-1]


def _grouped(steps: Sequence[Edit]) -> list[Edit]:
    """Return the steps, adjacent ones merged."""
    found: list[Edit] = []
    for step in steps:
        if found and found[-1].end == step.start and found[-1].stop == step.other:
            found[-1] = Edit(found[-1].start, step.end, found[-1].other, step.stop)
        else:
            found.append(step)
    return found


def _shifted(edit: Edit, by: int) -> Edit:
    return Edit(*(line + by for line in edit))
