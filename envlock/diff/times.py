"""Modification times of files: no drift between environments, but a rebuild must keep them."""

from __future__ import annotations

from dataclasses import replace

from envlock.diff.drift import ChangeKind, Delta, DriftReport, judge, summarize
from envlock.diff.severity import classify
from envlock.model.tree import EntryType, Tree

_TIMED = frozenset({EntryType.FILE, EntryType.SYMLINK})


def with_times(report: DriftReport, left: Tree, right: Tree) -> DriftReport:
    """Return `report` with a change for each file or symbolic link whose mtime differs."""
    times = {row.entry.path: row.entry.mtime for row in right.rows}
    deltas = (
        Delta(
            section="file",
            key=row.entry.path,
            field="mtime",
            kind=ChangeKind.CHANGED,
            left=str(row.entry.mtime),
            right=str(times[row.entry.path]),
            facts={},
        )
        for row in left.rows
        if row.entry.type in _TIMED
        and times.get(row.entry.path, row.entry.mtime) != row.entry.mtime
    )
    late = [classify(delta, report.left_name, report.right_name) for delta in deltas]
    if not late:
        return report
    changes = (*report.changes, *late)
    return replace(report, changes=changes, summary=summarize(changes), result=judge(changes))
