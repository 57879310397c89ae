"""Turn a captured tree into the rows of an image: apply the rules, and settle the times.

All content that stays is byte-exact.  Times are those that were captured, or if they are flattened
none is newer than the epoch (`image_epoch`); files of a kind of artifact with a fixed time get that
one (`ArtifactKind.file_time`); a directory is as new as the newest entry below it (see
`directories`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from envlock.errors import MaterializeError
from envlock.materialize.artifacts.table import KINDS
from envlock.materialize.tree.derive import (
    LockedAccounts,
    derive_gshadow,
    derive_shadow,
    lock_hashes,
)
from envlock.materialize.tree.directories import ancestors, leaves, newest_below
from envlock.materialize.tree.rule_book import RuleBook
from envlock.materialize.tree.rules import RULES, Action, Rule
from envlock.model.text import escape, sort_key
from envlock.model.tree import OBSERVED, REDACTED, Entry, EntryType, FileClass, Row, Tree

IMAGE_LOCK_PATH = "/usr/share/envlock/lock"
"""Where an image holds the lock it was built from; a capture classifies it as generated."""

_FROM_ARTIFACTS = tuple(kind.prefix for kind in KINDS.values())
_RECORDED_TIMES = tuple(kind.prefix for kind in KINDS.values() if kind.is_dated)
_FIXED_TIMES = tuple(
    (kind.prefix, kind.file_time) for kind in KINDS.values() if kind.file_time is not None
)
_DAY = 86_400
_LAST_TIME = 253_402_300_799  # 9999-12-31, the last day that RFC 3339 can write
_NEVER_IN_IMAGES = frozenset({FileClass.SECRET, FileClass.IDENTITY})
_UNSAFE = re.compile(r"\Z|[^/]|.*(?://|/\.{1,2}(?:/|\Z)|\0|/\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalised:
    """The rows of an image in byte order, and how they differ from the captured ones.

    `dropped` maps each path that was left out to the rule that says so.  `contents` maps each path
    with generated content to that content, `locked` each account file to the accounts whose hash
    it had.
    """

    rows: tuple[Row, ...]
    dropped: Mapping[str, Rule]
    contents: Mapping[str, bytes]
    locked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def warnings(self) -> Mapping[str, Rule]:
        """Return the dropped paths that the user is warned about."""
        return {path: rule for path, rule in self.dropped.items() if rule.warn}


def image_epoch(tree: Tree) -> int:
    """Return the newest time that an image of `tree` has, in seconds since 1970.

    It is the newest mtime of a file from an artifact that records times, since those are the same
    on every machine; without such files, that of a significant file; for an empty tree 0.
    """
    packaged = [row.entry.mtime for row in tree.rows if row.source.startswith(_RECORDED_TIMES)]
    files = (row for row in tree.rows if row.entry.type is EntryType.FILE)
    times = packaged or (row.entry.mtime for row in files if row.file_class.is_significant)
    return max(0, min(max(times, default=0), _LAST_TIME))


def normalise(
    tree: Tree,
    *,
    epoch: int,
    read: Callable[[Row], bytes],
    user_rules: Sequence[Rule] = (),
    flatten: bool = False,
) -> Normalised:
    """Return the rows of an image of `tree`.

    `epoch` is in seconds (see `image_epoch`); with `flatten`, no time is newer.  `read` returns the
    content of a row; it is called for /etc/passwd and /etc/group, from which the locked account
    files are generated.  Raise MaterializeError when no file system can hold the tree: relative or
    duplicate paths, a path below a file, a hard link to no file.
    """
    _check(tree)
    captured = {row.entry.path: row for row in tree.rows}
    book = RuleBook(user_rules)
    kept: dict[str, Row] = {}
    dropped: dict[str, Rule] = {}
    contents: dict[str, bytes] = {}
    locked: dict[str, tuple[str, ...]] = {}
    for path, row in captured.items():
        rule = book.rule_for(row)
        if rule is None or rule.action is Action.KEEP:
            kept[path] = row
        elif rule.action is Action.DROP:
            dropped[path] = rule
        elif rule.action is Action.LOCK_HASHES:
            accounts = _lock_hashes(row, read)
            kept[path] = row
            if accounts.names:
                locked[path], contents[path] = accounts.names, accounts.content
                kept[path] = _generated_row(row, accounts.content, f"derive {rule.id}")
        else:
            contents[path] = _generate(rule.action, captured, epoch, read)
            kept[path] = _generated_row(row, contents[path], f"derive {rule.id}")
    _relink(captured, kept, dropped, contents.keys())
    _restore_directories(captured, kept, dropped)
    rows = sorted(kept.values(), key=lambda row: sort_key(row.entry.path))
    return Normalised(
        rows=_settle_times(rows, epoch, flatten=flatten),
        dropped=dropped,
        contents=contents,
        locked=locked,
    )


def with_lock(normalised: Normalised, lockfile: bytes, epoch: int) -> Normalised:
    """Return `normalised` with the lockfile at IMAGE_LOCK_PATH.

    A tree without /usr/share gets no lockfile, since it would get directories it did not have.
    """
    directory, _, _ = IMAGE_LOCK_PATH.rpartition("/")
    above = tuple(ancestors(directory))
    rows = {row.entry.path: row for row in normalised.rows}
    if any(p not in rows or rows[p].entry.type is not EntryType.DIRECTORY for p in above):
        return normalised
    rows = {path: row for path, row in rows.items() if not f"{path}/".startswith(f"{directory}/")}
    for path, kind, mode in (
        (directory, EntryType.DIRECTORY, 0o755),
        (IMAGE_LOCK_PATH, EntryType.FILE, 0o644),
    ):
        rows[path] = Row(Entry(path, kind, mode, mtime=epoch), FileClass.GENERATED)
    rows[IMAGE_LOCK_PATH] = _generated_row(rows[IMAGE_LOCK_PATH], lockfile, "derive lock")
    return replace(
        normalised,
        rows=_settle_times(sorted(rows.values(), key=lambda row: sort_key(row.entry.path)), epoch),
        contents={**normalised.contents, IMAGE_LOCK_PATH: lockfile},
    )


def _generated_row(row: Row, content: bytes, source: str) -> Row:
    """Return `row` as a regular file with this content."""
    entry = row.entry._replace(
        type=EntryType.FILE,
        target="",
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        md5="",
        sha1="",
    )
    return row._replace(entry=entry, source=source)


def _generate(
    action: Action, captured: Mapping[str, Row], epoch: int, read: Callable[[Row], bytes]
) -> bytes:
    def content(path: str) -> bytes:
        row = captured.get(path)
        return read(row) if row is not None and row.entry.type is EntryType.FILE else b""

    if action is Action.LOCK_ACCOUNTS:
        return derive_shadow(content("/etc/passwd"), epoch // _DAY)
    if action is Action.LOCK_GROUPS:
        return derive_gshadow(content("/etc/group"))
    return b""


def _lock_hashes(row: Row, read: Callable[[Row], bytes]) -> LockedAccounts:
    """Return an account file without hashes; what a package holds is published and has none."""
    is_by_value = row.source.startswith(("blob ", REDACTED))
    return lock_hashes(read(row)) if is_by_value else LockedAccounts(b"", ())


def _check(tree: Tree) -> None:
    """Raise MaterializeError unless `tree` could have been read from a file system."""
    types: dict[str, EntryType] = {}
    before = b""
    for row in tree.rows:
        path, kind, target = row.entry.path, row.entry.type, row.entry.target
        reason = ""
        if (path != "/" and _UNSAFE.match(path)) or "\0" in target:
            reason = "no file system has such a path"
        elif before >= (before := sort_key(path)):
            reason = "the tree is not in byte order, or lists this path twice"
        elif types.get(path.rpartition("/")[0], EntryType.DIRECTORY) is not EntryType.DIRECTORY:
            reason = "the tree has this path below something that is not a directory"
        elif kind is EntryType.HARDLINK and types.get(target) is not EntryType.FILE:
            reason = "a hard link to no file before it"
        if reason:
            raise MaterializeError(reason, where=escape(path))
        types[path] = kind


def _relink(
    captured: Mapping[str, Row],
    kept: dict[str, Row],
    dropped: dict[str, Rule],
    generated: Iterable[str],
) -> None:
    """Give each hard link the metadata of its file.

    Where the file was dropped or its content replaced, the first of its links becomes the file.
    Links to content that must not be in an image, or that the capture did not keep, are dropped.
    """
    changed = frozenset(generated)
    new_files: dict[str, str] = {}
    for path, row in tuple(kept.items()):
        if row.entry.type is not EntryType.HARDLINK:
            continue
        owner = row.entry.target
        file = captured[owner]
        if owner in kept and owner not in changed:
            kept[path] = row._replace(entry=_link(row.entry, file.entry, owner))
        elif owner in new_files:
            kept[path] = row._replace(entry=_link(row.entry, file.entry, new_files[owner]))
        elif file.file_class in _NEVER_IN_IMAGES or _is_lost(row, file):
            del kept[path]
            dropped[path] = dropped.get(owner) or _rule("secrets")
        else:
            new_files[owner] = path
            kept[path] = row._replace(entry=file.entry._replace(path=path), source=file.source)


def _is_lost(link: Row, file: Row) -> bool:
    return file.source.startswith(OBSERVED) and not link.file_class.is_significant


def _link(link: Entry, file: Entry, target: str) -> Entry:
    return file._replace(
        path=link.path, type=EntryType.HARDLINK, target=target, size=0, sha256="", md5="", sha1=""
    )


def _rule(name: str) -> Rule:
    return next(rule for rule in RULES if rule.id == name)


def _restore_directories(
    captured: Mapping[str, Row], kept: dict[str, Row], dropped: dict[str, Rule]
) -> None:
    """Restore each dropped directory that contains a kept path."""
    for path in tuple(kept):
        if path == "/":
            continue
        for directory in ancestors(path):
            if directory not in dropped:
                break
            kept[directory] = captured[directory]
            del dropped[directory]


def _settle_times(rows: Sequence[Row], epoch: int, *, flatten: bool = False) -> tuple[Row, ...]:
    newest = epoch if flatten else _LAST_TIME
    settled = [_at(row, _time(row, newest)) for row in rows]
    ends = leaves(settled)
    newest_of_owner: dict[str, int] = {}
    for row in ends:
        if row.source.startswith(_FROM_ARTIFACTS):
            newest_of_owner[row.owner] = max(newest_of_owner.get(row.owner, 0), row.entry.mtime)
    empty_directories = {
        row.entry.path: newest_of_owner.get(row.owner, epoch)
        for row in ends
        if row.entry.type is EntryType.DIRECTORY
    }
    times = newest_below(
        row.entry._replace(mtime=empty_directories.get(row.entry.path, row.entry.mtime))
        for row in ends
    )
    times.update(empty_directories)
    return tuple(
        _at(row, times[row.entry.path]) if row.entry.type is EntryType.DIRECTORY else row
        for row in settled
    )


def _time(row: Row, newest: int) -> int:
    for prefix, time in _FIXED_TIMES:
        if row.source.startswith(prefix):
            return min(time, newest)
    return min(max(row.entry.mtime, 0), newest)


def _at(row: Row, mtime: int) -> Row:
    if row.entry.mtime == mtime:
        return row
    return row._replace(entry=row.entry._replace(mtime=mtime))
