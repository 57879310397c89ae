"""Two trees, path by path: every field of every significant path; noise is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from envlock.diff.drift import ChangeKind, Delta
from envlock.diff.predicates import is_privileged
from envlock.diff.records import UNREAD, CoverageGaps, change_kind
from envlock.model.record import Facts
from envlock.model.tree import (
    SIGNIFICANT,
    Entry,
    EntryType,
    FileClass,
    Row,
    Tree,
    Xattrs,
)

SECTION = "file"

_AS_PACKAGED = frozenset({FileClass.PACKAGE, FileClass.CONFFILE})
_SET_ID = 0o6000
_TYPES: Mapping[EntryType, str] = {
    EntryType.FILE: "file",
    EntryType.DIRECTORY: "directory",
    EntryType.SYMLINK: "symlink",
    EntryType.HARDLINK: "hard link",
    EntryType.CHAR: "character device",
    EntryType.BLOCK: "block device",
    EntryType.FIFO: "fifo",
    EntryType.SOCKET: "socket",
}


class FileDrift(NamedTuple):
    """What two trees differ in.

    `paths` are all that differ and are not hidden, folded ones included.  `compared` is how many
    paths were looked at and not hidden.
    """

    deltas: list[Delta]
    paths: set[str]
    hidden: Counter[str]
    compared: int


class _ListedDirectories:
    """The folders that a walk could list: what is missing in one of them is known to be missing."""

    def __init__(self, tree: Tree) -> None:
        self._paths = {row.entry.path for row in tree.rows}
        self._folders = {_folder(path) for path in self._paths}

    def lack(self, path: str) -> bool:
        """True when the path would be in the tree if it were there."""
        folder = _folder(path)
        while folder not in self._paths and folder != "/":
            folder = _folder(folder)
        return folder in self._folders


def _folder(path: str) -> str:
    return path.rpartition("/")[0] or "/"


class _Absences(NamedTuple):
    """Why what is missing on a side may yet be there, and where that is known better."""

    holes: CoverageGaps
    left: _ListedDirectories | None
    right: _ListedDirectories | None

    def absence(self, path: str, *, on_left: bool) -> tuple[ChangeKind, str]:
        """Return what a path is that one side has, and why that is unknown, if it is."""
        listed = self.right if on_left else self.left
        if listed is not None and listed.lack(path):
            return ChangeKind.REMOVED if on_left else ChangeKind.ADDED, ""
        return self.holes.kind(on_left=on_left), self.holes.note(on_left=on_left)


class _RowPair(NamedTuple):
    """One path on both sides, or on one."""

    left: Row | None
    right: Row | None

    @property
    def shown(self) -> Row:
        """The right row, else the left one."""
        row = self.right or self.left
        if row is None:
            raise LookupError("a path that neither side has")
        return row

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows that are there."""
        return tuple(row for row in (self.left, self.right) if row is not None)

    @property
    def facts(self) -> Facts:
        """What rules may look at."""
        return facts_of(self.shown)

    def explanation(self, changed: frozenset[str]) -> str:
        """Return the changed package that accounts for the path, else nothing."""
        if not all(row.file_class in _AS_PACKAGED for row in self.rows):
            return ""
        return min((row.owner for row in self.rows if row.owner in changed), default="")


def facts_of(row: Row) -> dict[str, str]:
    """Return what a row of a tree says, as the facts of a record; times left aside."""
    entry = row.entry
    facts = {
        "class": row.file_class.value,
        "mode": _mode(entry),
        "type": _TYPES[entry.type],
        "owner": f"{entry.uid}:{entry.gid}",
        "sha256": entry.sha256,
        "size": str(entry.size) if entry.type is EntryType.FILE else "",
        "target": entry.target,
        "device": _device(entry),
        "capability": _xattrs(entry.xattrs),
    }
    return {name: text for name, text in facts.items() if text}


def compare_trees(
    left: Tree,
    right: Tree,
    *,
    holes: CoverageGaps,
    ignoring: tuple[bool, bool] = (False, False),
    changed: frozenset[str],
    everything: bool,
) -> FileDrift:
    """Compare two trees.

    `ignoring`: that paths were left out of a side on purpose, so that a folder whose other names
    are known proves nothing.  `changed` are the packages whose own change explains their files.
    Noisy classes are counted, and with `everything` shown as well.
    """
    drift = FileDrift([], set(), Counter(), 0)
    sides = _Absences(
        holes,
        _ListedDirectories(left) if holes.left and not ignoring[0] else None,
        _ListedDirectories(right) if holes.right and not ignoring[1] else None,
    )
    whole: dict[str, Delta] = {}
    compared = 0
    for path, pair in _pairs(left, right):
        noise = not any(row is not None and row.file_class in SIGNIFICANT for row in pair)
        compared += everything or not noise
        if _is_same(pair):
            continue
        found = list(_compare_path(path, pair, sides, changed))
        if noise and found:
            if not everything:
                drift.hidden[pair.shown.file_class.value] += 1
                continue
            found = [delta._replace(special_rule="noisy", explained_by="") for delta in found]
        for delta in found:
            drift.paths.add(path)
            if delta.field:
                drift.deltas.append(delta)
            else:
                whole[path] = delta
    drift.deltas.extend(_fold(whole))
    return drift._replace(compared=compared)


def _pairs(left: Tree, right: Tree) -> Iterator[tuple[str, _RowPair]]:
    theirs = {row.entry.path: row for row in right.rows}
    for row in left.rows:
        path = row.entry.path
        yield path, _RowPair(row, theirs.pop(path, None))
    for path, row in theirs.items():
        yield path, _RowPair(None, row)


def _is_same(pair: _RowPair) -> bool:
    """True when nothing differs that could be compared; quick, for that is most paths."""
    left, right = pair
    if left is None or right is None:
        return False
    return left == right or (
        left.file_class is right.file_class
        and left.entry._replace(mtime=0) == right.entry._replace(mtime=0)
    )


def _compare_path(
    path: str, pair: _RowPair, sides: _Absences, changed: frozenset[str]
) -> Iterator[Delta]:
    explained = pair.explanation(changed)
    if pair.left is None or pair.right is None:
        on_left = pair.right is None
        text = _describe(pair.shown.entry)
        left, right = (text, None) if on_left else (None, text)
        kind, note = sides.absence(path, on_left=on_left)
        yield Delta(
            SECTION, path, "", kind, left, right, pair.facts, explained_by=explained, note=note
        )
        return
    for field, before, after in _fields(pair.left, pair.right):
        unread = field == "sha256" and not (before and after)
        yield Delta(
            SECTION,
            path,
            field,
            ChangeKind.UNKNOWN if unread else change_kind(before or None, after or None),
            before or None,
            after or None,
            pair.facts,
            explained_by="" if _touches_privilege(field, before, after) else explained,
            note=UNREAD if unread else "",
        )


def _fields(left: Row, right: Row) -> Iterator[tuple[str, str, str]]:
    """Yield the fields in which two rows differ, times left aside."""
    a, b = left.entry, right.entry
    found = False
    for field, before, after in _compared(a, b):
        if before != after:
            found = True
            yield field, before, after
    if not found and left.file_class.is_significant != right.file_class.is_significant:
        yield "class", left.file_class.value, right.file_class.value


def _compared(a: Entry, b: Entry) -> Iterator[tuple[str, str, str]]:
    yield "type", _TYPES[a.type], _TYPES[b.type]
    yield "owner", f"{a.uid}:{a.gid}", f"{b.uid}:{b.gid}"
    if a.type is b.type or EntryType.SYMLINK not in (a.type, b.type):
        yield "mode", _mode(a), _mode(b)  # a link's own mode means nothing
    if a.type is not b.type:
        return
    yield "sha256", a.sha256, b.sha256
    if a.type is EntryType.FILE and a.sha256 == b.sha256:
        yield "size", str(a.size), str(b.size)
    yield "target", a.target, b.target
    yield "device", _device(a), _device(b)
    yield "capability", _xattrs(a.xattrs), _xattrs(b.xattrs)


def _fold(whole: Mapping[str, Delta]) -> Iterator[Delta]:
    """Yield paths that one side has, each directory once for all that is below it."""
    top: dict[str, str] = {}
    below: dict[str, list[Delta]] = {}
    for path in sorted(whole):
        parent = _folder(path)
        if parent in top and _folds(whole[parent], whole[path]):
            top[path] = top[parent]
            below.setdefault(top[path], []).append(whole[path])
        else:
            top[path] = path
    for path, head in top.items():
        if path == head:
            yield _with_below(whole[path], below.get(path, []))


def _folds(parent: Delta, child: Delta) -> bool:
    """True when the child is there for the same reason as its parent, and hides no privilege."""
    same = (parent.kind, parent.explained_by, parent.special_rule) == (
        child.kind,
        child.explained_by,
        child.special_rule,
    )
    return same and not is_privileged(child)


def _with_below(delta: Delta, below: list[Delta]) -> Delta:
    if not below:
        return delta
    text = f", {len(below)} {'entry' if len(below) == 1 else 'entries'} below"
    return delta._replace(
        left=delta.left and delta.left + text,
        right=delta.right and delta.right + text,
        below=tuple(below),
    )


def _touches_privilege(field: str, before: str, after: str) -> bool:
    """True for what a package update must not hide: set-id bits and capabilities."""
    if field == "mode":
        return bool((int(before, 8) ^ int(after, 8)) & _SET_ID)
    return field == "capability"


def _describe(entry: Entry) -> str:
    if entry.type is EntryType.SYMLINK:
        return f"symlink to {entry.target}"
    return f"{_TYPES[entry.type]} {_mode(entry)} {entry.uid}:{entry.gid}"


def _mode(entry: Entry) -> str:
    return f"{entry.mode:04o}"


def _device(entry: Entry) -> str:
    return f"{entry.device[0]}:{entry.device[1]}" if entry.device else ""


def _xattrs(xattrs: Xattrs) -> str:
    return ",".join(f"{name}={value.hex()}" for name, value in xattrs)
