"""Compare two trees path by path: all fields of significant paths; noisy paths are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple, Self

from envlock.diff.attributes import PRIVILEGES, attribute_facts
from envlock.diff.drift import ChangeKind, Delta
from envlock.diff.folding import OneSided, fold
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
)

SECTION = "file"
SECRET_VALUES = "compared without secret values"

_AS_PACKAGED = frozenset({FileClass.PACKAGE, FileClass.CONFFILE})
_COMPARED = SIGNIFICANT | {FileClass.SECRET}
"""Classes whose paths are compared; of a secret file only presence, type, owner and mode."""
_UNCOMPARED = "its content is a secret, and not recorded on either side"
_READ_BY_NEITHER = "it differs, and what it holds could not be read on either side"
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

    @classmethod
    def of(cls, left: Tree, right: Tree, gaps: CoverageGaps, ignoring: tuple[bool, bool]) -> Self:
        """Return what absences prove; nothing on a side where the user excluded paths."""
        return cls(
            gaps,
            _ListedDirectories(left) if gaps.left and not ignoring[0] else None,
            _ListedDirectories(right) if gaps.right and not ignoring[1] else None,
        )

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
        **attribute_facts(entry.xattrs),
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
    unknown_secrets: bool = True,
    unread: Collection[str] = (),
) -> FileDrift:
    """Compare two trees.

    `ignoring` says for each side whether the user excluded paths, so that a path missing from a
    listed directory proves nothing.  `changed` are the packages whose own change explains that of
    their files.  Paths of noisy classes are counted; `everything` shows them and `unknown_secrets`.
    `unread` are those that the section which compares them could not read on either side.
    """
    drift = FileDrift([], set(), Counter(), 0)
    absences = _Absences.of(left, right, gaps, ignoring)
    whole: dict[str, OneSided] = {}
    compared = secret = 0
    shows_gaps = everything and unknown_secrets and left.rows != right.rows
    for path, pair in _pairs(left, right):
        noise = not any(row is not None and row.file_class in _COMPARED for row in pair)
        compared += everything or not noise
        secret += pair.is_secret
        if shows_gaps and pair.is_secret:
            drift.deltas.append(_uncompared(path, pair))
        if any(row.source.startswith(REDACTED) for row in pair.rows):
            drift.hidden[SECRET_VALUES] += 1
        if _is_same(pair):
            continue
        if _is_unread(path, pair, unread):
            found, noise = [_unread(path, pair)], False
        else:
            found = list(_compare_path(path, pair, absences, changed))
        if noise and not everything:
            _hide(path, pair, found, drift, whole)
            continue
        if noise:
            found = [delta._replace(special_rule="noisy", explained_by="") for delta in found]
        for delta in found:
            if delta.field:
                drift.paths.add(path)
                drift.deltas.append(delta)
            else:
                whole[path] = OneSided(delta, pair.shown.entry)
    _fold_into(drift, whole)
    return drift._replace(compared=compared, secret=secret)


def _hide(
    path: str, pair: _RowPair, found: list[Delta], drift: FileDrift, whole: dict[str, OneSided]
) -> None:
    """Count a path of noise that differs; a directory may stand for significant files in it."""
    if found and not found[0].field and pair.shown.entry.type is EntryType.DIRECTORY:
        whole[path] = OneSided(found[0], pair.shown.entry, is_quiet=True)
    elif found:
        drift.hidden[pair.shown.file_class.value] += 1


def _fold_into(drift: FileDrift, whole: Mapping[str, OneSided]) -> None:
    """Add the paths on one side only to the differences, folded under their directories."""
    folded = fold(whole)
    drift.deltas.extend(folded.deltas)
    drift.hidden.update(each.delta.facts["class"] for each in folded.hidden)
    drift.paths.update(path for path, each in whole.items() if not each.is_quiet)
    drift.paths.update(delta.key for delta in folded.deltas)


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


def _is_unread(path: str, pair: _RowPair, unread: Collection[str]) -> bool:
    """True for a database, or what is to be written into one, that neither side could read."""
    database = path.removesuffix("-wal")
    return database in unread and (database != path or len(pair.rows) == 2)


def _unread(path: str, pair: _RowPair) -> Delta:
    """Return that a file differs which no section could read."""
    left, right = (row and row.entry.sha256 for row in pair)
    kind, facts = ChangeKind.UNKNOWN, pair.facts
    return Delta(SECTION, path, "sha256", kind, left, right, facts, note=_READ_BY_NEITHER)


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
    ours, theirs = attribute_facts(a.xattrs), attribute_facts(b.xattrs)
    for field in sorted(ours.keys() | theirs):
        yield field, ours.get(field, ""), theirs.get(field, "")


def _touches_privilege(field: str, before: str, after: str) -> bool:
    """True for what a package update must not explain: set-id bits, capabilities, access lists."""
    if field == "mode":
        return bool((int(before, 8) ^ int(after, 8)) & _SET_ID)
    return field in PRIVILEGES


def _describe(entry: Entry) -> str:
    if entry.type is EntryType.SYMLINK:
        return f"symlink to {entry.target}"
    return f"{_TYPES[entry.type]} {_mode(entry)} {entry.uid}:{entry.gid}"


def _mode(entry: Entry) -> str:
    return f"{entry.mode:04o}"


def _device(entry: Entry) -> str:
    return f"{entry.device[0]}:{entry.device[1]}" if entry.device else ""
