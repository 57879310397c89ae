"""Turn a captured tree into the rows of an image: what `rules` drops is gone, times are settled.

Everything that stays is byte-exact.  Times: no path is newer than the epoch (the newest package,
`newest_package`); a file from a wheel gets one fixed time, since installers stamp it with the time
of installation; a directory is as new as what lies below it (see `directories`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from envlock.errors import MaterializeError
from envlock.materialize.tree.derive import derive_gshadow, derive_shadow
from envlock.materialize.tree.directories import ancestors, leaves, newest_below
from envlock.materialize.tree.rules import RULES, Action, Rule, RuleBook
from envlock.model.text import escape, sort_key
from envlock.model.tree import Entry, EntryType, FileClass, Row, Tree

IMAGE_LOCK_PATH = "/usr/share/envlock/lock"
"""Where an image carries the lock it was built from; capture calls it generated."""

WHEEL_TIME = 315_619_200
"""1980-01-02, in every time zone a time that a zip archive can hold (PEP 427 archives are zip)."""

_DAY = 86_400
_LAST_TIME = 253_402_300_799  # 9999-12-31, the last that RFC 3339 can write
_NAMELESS = frozenset({FileClass.SECRET, FileClass.IDENTITY})
_UNSAFE = re.compile(r"\Z|[^/]|.*(?://|/\.{1,2}(?:/|\Z)|\0|/\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalised:
    """The rows of an image in byte order, and how they differ from the captured ones.

    `dropped` maps each path that was left out to its rule; `contents` maps each path whose
    content is made rather than carried to that content.
    """

    rows: tuple[Row, ...]
    dropped: Mapping[str, Rule]
    contents: Mapping[str, bytes]

    @property
    def warnings(self) -> Mapping[str, Rule]:
        """The dropped paths that a person should hear of."""
        return {path: rule for path, rule in self.dropped.items() if rule.warn}


def newest_package(tree: Tree) -> int:
    """Return the epoch of a tree: the newest mtime of a file out of a Debian package.

    Package times are the same on every machine.  A tree without any has the time of its newest
    significant file, an empty one 0.
    """
    packaged = [row.entry.mtime for row in tree.rows if row.source.startswith("deb ")]
    files = (row for row in tree.rows if row.entry.type is EntryType.FILE)
    times = packaged or (row.entry.mtime for row in files if row.file_class.is_significant)
    return max(0, min(max(times, default=0), _LAST_TIME))


def normalise(
    tree: Tree, *, epoch: int, read: Callable[[Row], bytes], user_rules: Sequence[Rule] = ()
) -> Normalised:
    """Return what of `tree` goes into an image.

    `epoch` is in seconds.  `read` returns the content of /etc/passwd and /etc/group, from which
    the locked account files are made.  Raise MaterializeError when the tree is not one of a file
    system: relative or doubled paths, something below a file, a hard link to nothing.
    """
    _check(tree)
    captured = {row.entry.path: row for row in tree.rows}
    book = RuleBook(user_rules)
    kept: dict[str, Row] = {}
    dropped: dict[str, Rule] = {}
    contents: dict[str, bytes] = {}
    for path, row in captured.items():
        rule = book.rule_for(row)
        if rule is None or rule.action is Action.KEEP:
            kept[path] = row
        elif rule.action is Action.DROP:
            dropped[path] = rule
        else:
            contents[path] = _make(rule.action, captured, epoch, read)
            kept[path] = made_row(row, contents[path], f"derive {rule.id}")
    _relink(captured, kept, dropped, contents.keys())
    _restore_directories(captured, kept, dropped)
    rows = sorted(kept.values(), key=lambda row: sort_key(row.entry.path))
    return Normalised(rows=_settle_times(rows, epoch), dropped=dropped, contents=contents)


def with_lock(normalised: Normalised, lockfile: bytes, epoch: int) -> Normalised:
    """Return `normalised` with the lockfile at IMAGE_LOCK_PATH.

    A tree without /usr/share carries none: it would gain directories it did not have.
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
    rows[IMAGE_LOCK_PATH] = made_row(rows[IMAGE_LOCK_PATH], lockfile, "derive lock")
    return Normalised(
        rows=_settle_times(sorted(rows.values(), key=lambda row: sort_key(row.entry.path)), epoch),
        dropped=normalised.dropped,
        contents={**normalised.contents, IMAGE_LOCK_PATH: lockfile},
    )


def made_row(row: Row, content: bytes, source: str) -> Row:
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


def _make(
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
            reason = "the tree is not in byte order, or holds this path twice"
        elif types.get(path.rpartition("/")[0], EntryType.DIRECTORY) is not EntryType.DIRECTORY:
            reason = "the tree puts this path below something else than a directory"
        elif kind is EntryType.HARDLINK and types.get(target) is not EntryType.FILE:
            reason = "a hard link to no file before it"
        if reason:
            raise MaterializeError(reason, where=escape(path))
        types[path] = kind


def _relink(
    captured: Mapping[str, Row],
    kept: dict[str, Row],
    dropped: dict[str, Rule],
    made: Iterable[str],
) -> None:
    """Give each hard link the metadata of its file, and orphans a new file: the first of them.

    Links to content that may not travel, or was not kept, go the way of that content.
    """
    changed = frozenset(made)
    heirs: dict[str, str] = {}
    for path, row in tuple(kept.items()):
        if row.entry.type is not EntryType.HARDLINK:
            continue
        owner = row.entry.target
        file = captured[owner]
        if owner in kept and owner not in changed:
            kept[path] = row._replace(entry=_link(row.entry, file.entry, owner))
        elif owner in heirs:
            kept[path] = row._replace(entry=_link(row.entry, file.entry, heirs[owner]))
        elif file.file_class in _NAMELESS or _is_lost(row, file):
            del kept[path]
            dropped[path] = dropped.get(owner) or _rule("secrets")
        else:
            heirs[owner] = path
            kept[path] = row._replace(entry=file.entry._replace(path=path), source=file.source)


def _is_lost(link: Row, file: Row) -> bool:
    return file.source == "observed" and not link.file_class.is_significant


def _link(link: Entry, file: Entry, target: str) -> Entry:
    return file._replace(
        path=link.path, type=EntryType.HARDLINK, target=target, size=0, sha256="", md5="", sha1=""
    )


def _rule(name: str) -> Rule:
    return next(rule for rule in RULES if rule.id == name)


def _restore_directories(
    captured: Mapping[str, Row], kept: dict[str, Row], dropped: dict[str, Rule]
) -> None:
    """Put back each dropped directory that something kept lies in."""
    for path in tuple(kept):
        if path == "/":
            continue
        for directory in ancestors(path):
            if directory not in dropped:
                break
            kept[directory] = captured[directory]
            del dropped[directory]


def _settle_times(rows: Sequence[Row], epoch: int) -> tuple[Row, ...]:
    settled = [_at(row, _time(row, epoch)) for row in rows]
    ends = leaves(settled)
    newest_of_owner: dict[str, int] = {}
    for row in ends:
        if row.source.startswith(("deb ", "wheel ")):
            newest_of_owner[row.owner] = max(newest_of_owner.get(row.owner, 0), row.entry.mtime)
    hollow = {
        row.entry.path: newest_of_owner.get(row.owner, epoch)
        for row in ends
        if row.entry.type is EntryType.DIRECTORY
    }
    times = newest_below(
        row.entry._replace(mtime=hollow.get(row.entry.path, row.entry.mtime)) for row in ends
    )
    times.update(hollow)
    return tuple(
        _at(row, times[row.entry.path]) if row.entry.type is EntryType.DIRECTORY else row
        for row in settled
    )


def _time(row: Row, epoch: int) -> int:
    if row.source.startswith("wheel "):
        return min(WHEEL_TIME, epoch)
    return min(max(row.entry.mtime, 0), epoch)


def _at(row: Row, mtime: int) -> Row:
    if row.entry.mtime == mtime:
        return row
    return row._replace(entry=row.entry._replace(mtime=mtime))
