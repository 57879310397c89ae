"""Compare two trees path by path: all fields of significant paths; noisy paths are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from envlock.diff.drift import ChangeKind, Delta
from envlock.diff.predicates import holds_secret, is_privileged
from envlock.diff.records import UNREAD, CoverageGaps, change_kind
from envlock.model.record import Facts
from envlock.model.tree import (
    REDACTED,
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
_COMPARED = SIGNIFICANT | {FileClass.SECRET}
"""Classes whose paths are compared; of a secret file only presence, type, owner and mode."""
_UNCOMPARED = "its content is a secret, and not recorded on either side"
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
    """The differences of two trees.

    `paths` are all that differ and are not hidden, folded ones included.  `hidden` counts the paths
    that differ and are not shown, by file class.  `compared` is how many paths were compared and
    not hidden, `secret` how many of them are secret files that both sides have.
    """

    deltas: list[Delta]
    paths: set[str]
    hidden: Counter[str]
    compared: int
    secret: int = 0


class _ListedDirectories:
    """The directories that a walk listed: a path missing in one of them does not exist."""

    def __init__(self, tree: Tree) -> None:
        self._paths = {row.entry.path for row in tree.rows}
        self._directories = {_parent(path) for path in self._paths}

    def lack(self, path: str) -> bool:
        """True when the path would be in the tree if it existed."""
        directory = _parent(path)
        while directory not in self._paths and directory != "/":
            directory = _parent(directory)
        return directory in self._directories


def _parent(path: str) -> str:
    return path.rpartition("/")[0] or "/"


class _Absences(NamedTuple):
    """What the absence of a path from one tree proves.

    `gaps` are those of the coverage; `left` and `right` are the directories that were listed all
    the same, None if they prove nothing.
    """

    gaps: CoverageGaps
    left: _ListedDirectories | None
    right: _ListedDirectories | None

    def judge(self, path: str, *, on_left: bool) -> tuple[ChangeKind, str]:
        """Return the kind of change of a path that one side has, and why it is unknown, if so."""
        listed = self.right if on_left else self.left
        if listed is not None and listed.lack(path):
            return ChangeKind.REMOVED if on_left else ChangeKind.ADDED, ""
        kind = self.gaps.kind(on_left=on_left, path=path)
        return kind, self.gaps.note(on_left=on_left, path=path)


class _RowPair(NamedTuple):
    """The rows of one path; one may be missing."""

    left: Row | None
    right: Row | None

    @property
    def shown(self) -> Row:
        """The right row, else the left one."""
        row = self.right or self.left
        if row is None:
            raise LookupError("neither side has a row")
        return row

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows that exist."""
        return tuple(row for row in (self.left, self.right) if row is not None)

    @property
    def facts(self) -> Facts:
        """The facts that rules may use."""
        row, facts = self.shown, facts_of(self.shown)
        if row.owner:
            facts["owned-by"] = row.owner
        if row.source.startswith(REDACTED):
            facts["redacted"] = "true"
        return facts

    @property
    def is_secret(self) -> bool:
        """True if both sides have the file, and the content of one is a secret."""
        return len(self.rows) == 2 and FileClass.SECRET in {row.file_class for row in self.rows}

    def explanation(self, changed: frozenset[str]) -> str:
        """Return the changed package that explains the difference, else an empty text."""
        if not all(row.file_class in _AS_PACKAGED for row in self.rows):
            return ""
        return min((row.owner for row in self.rows if row.owner in changed), default="")


def facts_of(row: Row) -> dict[str, str]:
    """Return a row of a tree as the facts of a record, without its times."""
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
    gaps: CoverageGaps,
    ignoring: tuple[bool, bool] = (False, False),
    changed: frozenset[str],
    everything: bool,
) -> FileDrift:
    """Compare two trees.

    `ignoring` says for each side whether the user excluded paths, so that a path missing from a
    listed directory proves nothing.  `changed` are the packages whose own change explains that of
    their files.  Paths of noisy classes are counted, and with `everything` shown as well.
    """
    drift = FileDrift([], set(), Counter(), 0)
    absences = _Absences(
        gaps,
        _ListedDirectories(left) if gaps.left and not ignoring[0] else None,
        _ListedDirectories(right) if gaps.right and not ignoring[1] else None,
    )
    whole: dict[str, Delta] = {}
    compared = secret = 0
    # A capture compared with itself has the same secrets.
    shows_gaps = everything and left.rows != right.rows
    for path, pair in _pairs(left, right):
        noise = not any(row is not None and row.file_class in _COMPARED for row in pair)
        compared += everything or not noise
        secret += pair.is_secret
        if shows_gaps and pair.is_secret:
            drift.deltas.append(_uncompared(path, pair))
        if _is_same(pair):
            continue
        found = list(_compare_path(path, pair, absences, changed))
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
    return drift._replace(compared=compared, secret=secret)


def _pairs(left: Tree, right: Tree) -> Iterator[tuple[str, _RowPair]]:
    theirs = {row.entry.path: row for row in right.rows}
    for row in left.rows:
        path = row.entry.path
        yield path, _RowPair(row, theirs.pop(path, None))
    for path, row in theirs.items():
        yield path, _RowPair(None, row)


def _is_same(pair: _RowPair) -> bool:
    """True when no compared field differs; fast, since most paths are the same."""
    left, right = pair
    if left is None or right is None:
        return False
    return left == right or (
        left.file_class is right.file_class
        and left.entry._replace(mtime=0) == right.entry._replace(mtime=0)
    )


def _compare_path(
    path: str, pair: _RowPair, absences: _Absences, changed: frozenset[str]
) -> Iterator[Delta]:
    explained = pair.explanation(changed)
    if pair.left is None or pair.right is None:
        on_left = pair.right is None
        text = _describe(pair.shown.entry)
        left, right = (text, None) if on_left else (None, text)
        kind, note = absences.judge(path, on_left=on_left)
        yield Delta(
            SECTION, path, "", kind, left, right, pair.facts, explained_by=explained, note=note
        )
        return
    for field, before, after in _fields(pair.left, pair.right):
        is_unread = field == "sha256" and not (before and after)
        yield Delta(
            SECTION,
            path,
            field,
            ChangeKind.UNKNOWN if is_unread else change_kind(before or None, after or None),
            before or None,
            after or None,
            pair.facts,
            explained_by="" if _touches_privilege(field, before, after) else explained,
            note=UNREAD if is_unread else "",
        )


def _uncompared(path: str, pair: _RowPair) -> Delta:
    """Return that the content of a secret file was not compared."""
    kind, facts = ChangeKind.UNKNOWN, pair.facts
    return Delta(SECTION, path, "sha256", kind, None, None, facts, note=_UNCOMPARED)


def _fields(left: Row, right: Row) -> Iterator[tuple[str, str, str]]:
    """Yield the fields in which two rows differ; times are not compared."""
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
        yield "mode", _mode(a), _mode(b)  # the mode of a symbolic link has no effect
    if a.type is not b.type:
        return
    yield "sha256", a.sha256, b.sha256
    if a.type is EntryType.FILE and a.sha256 == b.sha256:
        yield "size", str(a.size), str(b.size)
    yield "target", a.target, b.target
    yield "device", _device(a), _device(b)
    yield "capability", _xattrs(a.xattrs), _xattrs(b.xattrs)


def _fold(whole: Mapping[str, Delta]) -> Iterator[Delta]:
    """Yield paths on one side only; a directory stands for everything below it."""
    top: dict[str, str] = {}
    below: dict[str, list[Delta]] = {}
    for path in sorted(whole):
        parent = _parent(path)
        if parent in top and _folds(whole[parent], whole[path]):
            top[path] = top[parent]
            below.setdefault(top[path], []).append(whole[path])
        else:
            top[path] = path
    for path, head in top.items():
        if path == head:
            yield _with_below(whole[path], below.get(path, []))


def _folds(parent: Delta, child: Delta) -> bool:
    """True when a child can be folded into its parent: same kind and reason, no privilege."""
    same = (parent.kind, parent.explained_by, parent.special_rule) == (
        child.kind,
        child.explained_by,
        child.special_rule,
    )
    return same and not is_privileged(child) and not holds_secret(child)


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
    """True for what a package update must not explain: set-id bits and capabilities."""
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
