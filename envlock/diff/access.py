"""Access that widened: told for every path, whatever its class hides.

A comparison hides logs, caches and state, since they change while a machine runs.  Who may read,
write or become root by them does not change by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from envlock.diff.attributes import PRIVILEGES, attribute_facts
from envlock.diff.drift import ChangeKind, Delta, DriftReport, judge, summarize
from envlock.diff.files import SECTION, facts_of
from envlock.diff.severity import classify
from envlock.model.tree import EntryType, Row, Tree

_OPENING = 0o6077
"""Bits that let others than the owner in, or give away the owner's rights."""
_SET_ID = 0o6000
_OF_THE_KERNEL = ("/proc", "/sys", "/dev", "/run")
_SYMLINK = EntryType.SYMLINK


def with_widened(report: DriftReport, left: Tree, right: Tree) -> DriftReport:
    """Return `report` with a change for each path that more may read, change or run as its owner.

    The trees are whole.  What the report has already is not told twice; of paths that one side
    alone has, only those on the right that run with the rights of their owner are told.
    """
    known = {(change.key, change.field) for change in report.changes}
    before = {row.entry.path: row for row in left.rows}
    deltas = (
        delta
        for row in right.rows
        if row.entry.type is not _SYMLINK and not _is_of_the_kernel(row.entry.path)
        for delta in _widened(before.get(row.entry.path), row)
        if (delta.key, delta.field) not in known and (delta.key, "") not in known
    )
    late = [classify(delta, report.left_name, report.right_name) for delta in deltas]
    if not late:
        return report
    changes = (*report.changes, *late)
    return replace(report, changes=changes, summary=summarize(changes), result=judge(changes))


def _is_of_the_kernel(path: str) -> bool:
    """True for what a running system shows or keeps in memory alone, and for the root itself."""
    return path == "/" or f"/{path.split('/', 2)[1]}" in _OF_THE_KERNEL


def _widened(left: Row | None, right: Row) -> Iterator[Delta]:
    path, now = right.entry.path, right.entry
    after = attribute_facts(now.xattrs)
    if left is None:
        if now.type is EntryType.FILE and (now.mode & _SET_ID or PRIVILEGES & after.keys()):
            text = f"{now.mode:04o} {now.uid}:{now.gid}"
            yield Delta(SECTION, path, "", ChangeKind.ADDED, None, text, facts_of(right))
        return
    was = left.entry
    if _SYMLINK is was.type:
        return
    if now.mode & ~was.mode & _OPENING:
        yield _changed(right, "mode", f"{was.mode:04o}", f"{now.mode:04o}")
    if was.uid == 0 != now.uid:
        yield _changed(right, "owner", f"{was.uid}:{was.gid}", f"{now.uid}:{now.gid}")
    before = attribute_facts(was.xattrs)
    for name in sorted(PRIVILEGES & after.keys()):
        if before.get(name) != after[name]:
            yield _changed(right, name, before.get(name, ""), after[name])


def _changed(row: Row, field: str, before: str, after: str) -> Delta:
    kind = ChangeKind.CHANGED if before else ChangeKind.ADDED
    return Delta(SECTION, row.entry.path, field, kind, before or None, after, facts_of(row))
