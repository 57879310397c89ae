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
from envlock.model.tree import Entry, EntryType, FileClass, Row, Tree

_OPENING = 0o6077
"""Bits that let others than the owner in, or give away the owner's rights."""
_SET_USER, _SET_GROUP = 0o4000, 0o2000
_SET_ID = _SET_USER | _SET_GROUP
_OF_THE_KERNEL = ("/proc", "/sys", "/dev", "/run")
_SYMLINK = EntryType.SYMLINK
_FILES = frozenset({EntryType.FILE, EntryType.HARDLINK})


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
        if not _is_of_the_kernel(row.entry.path)
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
    was = left.entry if left is not None else None
    after = attribute_facts(now.xattrs)
    if was is None or _is_file(was) != _is_file(now) or _SYMLINK in (was.type, now.type):
        if left is not None and _lends_rights(left.entry) and now.type is _SYMLINK:
            yield _changed(right, "type", _title(left.entry), _title(now))
        elif _lends_rights(now):
            text = f"{now.mode:04o} {now.uid}:{now.gid}"
            yield Delta(SECTION, path, "", ChangeKind.ADDED, None, text, facts_of(right))
        return
    if now.mode & ~was.mode & _OPENING:
        yield _changed(right, "mode", f"{was.mode:04o}", f"{now.mode:04o}")
    if was.uid == 0 != now.uid or _lends_rights_of_another(was, now):
        yield _changed(right, "owner", f"{was.uid}:{was.gid}", f"{now.uid}:{now.gid}")
    before = attribute_facts(was.xattrs)
    for name in sorted(PRIVILEGES & after.keys()):
        if before.get(name) != after[name]:
            yield _changed(right, name, before.get(name, ""), after[name])


def _is_file(entry: Entry) -> bool:
    return entry.type in _FILES


def _lends_rights(entry: Entry) -> bool:
    """True for a file that runs with the rights of its owner or group, or with capabilities."""
    is_privileged = entry.mode & _SET_ID or PRIVILEGES & attribute_facts(entry.xattrs).keys()
    return _is_file(entry) and bool(is_privileged)


def _lends_rights_of_another(was: Entry, now: Entry) -> bool:
    """True for a file that runs with the rights of another owner or group than before."""
    is_other_user = now.mode & _SET_USER and was.uid != now.uid
    is_other_group = now.mode & _SET_GROUP and was.gid != now.gid
    return _is_file(now) and bool(is_other_user or is_other_group)


def _title(entry: Entry) -> str:
    return facts_of(Row(entry, FileClass.UNOWNED))["type"]


def _changed(row: Row, field: str, before: str, after: str) -> Delta:
    kind = ChangeKind.CHANGED if before else ChangeKind.ADDED
    return Delta(SECTION, row.entry.path, field, kind, before or None, after, facts_of(row))
