"""Changes that have one cause: the first of them leads, and explains the others.

A build with another umask changes the mode of every file, and a switch of the crypto policy the
target of a dozen links.  Each is one thing to know and to mend.  A change explains only changes
that are not more severe, and the choice does not depend on which side is the left one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from envlock.diff.drift import Change, ChangeKind
from envlock.diff.files import SECTION as FILE
from envlock.diff.filters import SETTING
from envlock.diff.rules import CONSEQUENCES
from envlock.model.facts import Kind, kind_of

_FEWEST = 4
"""So many changes of one kind must have one cause; fewer are better read one by one."""
_READ_WRITE = 0o666
_SPECIAL = 0o7002
"""Bits of a mode that are a matter of their own: set-id, sticky, writable by everyone."""
_MODE = re.compile(r"[0-7]{1,5}\Z")
_SHORTEST_WORD = 3
_NO_LEAD = frozenset({"", "/etc", "/usr", "/var", "/opt", "/home", "/srv"})
_NAMED_BY_PATH = frozenset({"cron", "software"})
"""Sections whose keys start with the path of the file that the record is read from."""
_FOLLOWING = frozenset({"shell-missing"})
"""Facts of many records that follow from one thing that is there or missing."""
_LAYOUT = frozenset({"FILE-LAYOUT", "FILE-INTERPRETER-LINE"})
"""Rules whose reason says what became of a file, such as its line ends."""
_UNITS = "/etc/systemd/system/"
_SAME_NAME = ("group", "subid", "login")
"""Sections whose record of an account only follows from the account."""


class _Cause(NamedTuple):
    """What several changes have in common: the section, the field, and what became of what."""

    section: str
    field: str
    before: str
    after: str


def fold_alike(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Return the changes; those that another one explains say so in `explained_by`."""
    leads: dict[int, str] = {}
    leading: set[int] = set()
    free = [
        position
        for position, change in enumerate(changes)
        if change.status.counts and not change.explained_by and not change.is_unmet
    ]
    for find in (_software, _alike, _described, _accounts):
        open_positions = [position for position in free if position not in leads]
        for lead, followers in find(changes, open_positions):
            for position in followers:
                is_lesser = changes[position].severity.rank >= changes[lead].severity.rank
                if is_lesser and position not in leading and lead not in leads:
                    leads.setdefault(position, changes[lead].record)
                    leading.add(lead)
    return tuple(
        replace(change, explained_by=leads[position]) if position in leads else change
        for position, change in enumerate(changes)
    )


def unfold(changes: Iterable[Change]) -> Iterator[Change]:
    """Yield the changes as they were before `fold_alike`."""
    for change in changes:
        is_folded = change.explained_by and change.rule not in CONSEQUENCES
        yield replace(change, explained_by="") if is_folded else change


_Found = Iterator[tuple[int, Iterable[int]]]


def _alike(changes: Sequence[Change], positions: Sequence[int]) -> _Found:
    """Yield changes of one attribute to the same effect, the lead of each group first."""
    groups: dict[_Cause, list[int]] = defaultdict(list)
    for position in positions:
        if cause := _cause(changes[position]):
            groups[cause].append(position)
    groups = {cause: members for cause, members in groups.items() if len(members) >= _FEWEST}
    naming = _naming(changes) if groups else {}
    for cause, members in groups.items():
        named = naming.get((cause.before, cause.after)) if cause.field == "target" else None
        if named is not None:
            yield named, members
            continue
        for family in _families(changes, members):
            if len(family) >= _FEWEST:
                yield family[0], family[1:]


def _cause(change: Change) -> _Cause | None:
    if change.kind is not ChangeKind.CHANGED:
        is_one_sided = change.kind in (ChangeKind.ADDED, ChangeKind.REMOVED)
        if not (is_one_sided and change.field in _FOLLOWING):
            return None
        return _Cause(change.section, change.field, change.left or "", change.right or "")
    if change.left is None or change.right is None:
        return None
    if change.rule in _LAYOUT:
        return _Cause(FILE, change.rule, change.why, "")
    if change.section == FILE and change.field == "mode":
        return _mode_cause(change.left, change.right)
    if change.section == FILE and change.field == "owner":
        return _Cause(FILE, "owner", change.left, change.right)
    if change.left.startswith("/") and change.right.startswith("/") and change.key:
        before_part, after_part = _replaced(change.left, change.right)
        if min(len(before_part), len(after_part)) >= _SHORTEST_WORD:
            return _Cause(change.section, change.field, before_part, after_part)
    return None


def _mode_cause(left: str, right: str) -> _Cause | None:
    if not (_MODE.match(left) and _MODE.match(right)):
        return None
    before, after = int(left, 8), int(right, 8)
    if (before ^ after) & _SPECIAL:
        return None
    lost, gained = before & ~after, after & ~before
    if (lost | gained) & _READ_WRITE:
        # A directory may be entered where a file may be read: one umask, two modes.
        lost, gained = lost & _READ_WRITE, gained & _READ_WRITE
    return _Cause(FILE, "mode", f"{lost:o}", f"{gained:o}")


def _replaced(left: str, right: str) -> tuple[str, str]:
    """Return the parts of two paths between their common start and end, in whole names."""
    before, after = left.split("/"), right.split("/")
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    return "/".join(before[start : len(before) - end]), "/".join(after[start : len(after) - end])


def _naming(changes: Sequence[Change]) -> dict[tuple[str, str], int]:
    """Return the two words that a setting changed from and to -> the changed file that it is in.

    Of several files it is the first by depth and path.
    """
    words: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for change in changes:
        if change.field.startswith(SETTING):
            words[change.key].append(_values(change))
    files = [
        position
        for position, change in enumerate(changes)
        if change.section == FILE and change.field == "sha256" and change.key in words
        if not change.explained_by and change.status.counts
    ]
    found: dict[tuple[str, str], int] = {}
    for position in sorted(files, key=lambda p: (changes[p].key.count("/"), changes[p].key)):
        for pair in words[changes[position].key]:
            found.setdefault(pair, position)
    return found


def _values(change: Change) -> tuple[str, str]:
    return (change.left or "").strip(), (change.right or "").strip()


def _families(changes: Sequence[Change], positions: Sequence[int]) -> Iterator[list[int]]:
    """Yield the positions by directory: those of one, and of all that is below it."""
    family: list[int] = []
    within: tuple[str, ...] = ()
    above = {tuple(_names(changes[p].key)[:-1]) for p in positions}
    for position in sorted(positions, key=lambda p: _names(changes[p].key)):
        names = tuple(_names(changes[position].key))
        if family and (names[: len(within)] == within or len(names) == 1):
            family.append(position)
            continue
        if family:
            yield family
        family = [position]
        parent = names[:-1]
        within = names if names in above or "/".join(parent) in _NO_LEAD else parent
    if family:
        yield family


def _names(key: str) -> list[str]:
    return key.split("/")


def _software(changes: Sequence[Change], positions: Sequence[int]) -> _Found:
    """Yield software without a package that has another version, and its files.

    If only a digest says that it differs, the files say more, and the first of them leads.
    """
    told = {change.key for change in changes if change.field.startswith(SETTING)}
    files = [
        p
        for p in positions
        if changes[p].section == FILE
        and changes[p].field == "sha256"
        and changes[p].kind is ChangeKind.CHANGED
    ]
    records: dict[str, list[int]] = defaultdict(list)
    for position in positions:
        change = changes[position]
        if change.section == "software" and change.kind is ChangeKind.CHANGED:
            records[change.key].append(position)
    for key, members in records.items():
        below = [p for p in files if changes[p].key == key or changes[p].key.startswith(f"{key}/")]
        clear = [position for position in members if not _is_digest(changes[position])]
        if clear:
            opaque = [position for position in members if position not in clear]
            yield clear[0], [*opaque, *(p for p in below if changes[p].key not in told)]
        elif below:
            yield min(below, key=lambda p: (changes[p].severity.rank, changes[p].key)), members


def _is_digest(change: Change) -> bool:
    return kind_of(change.section, change.field) is Kind.DIGEST


def _described(changes: Sequence[Change], positions: Sequence[int]) -> _Found:
    """Yield records, such as a cron job, and the file of the same path that says the same."""
    files = {
        changes[p].key: p for p in positions if changes[p].section == FILE and not changes[p].field
    }
    for position in positions:
        change = changes[position]
        unit = files.get(f"{_UNITS}{change.key}") if change.section == "service" else None
        if unit is not None and not change.field and changes[unit].kind is change.kind:
            yield unit, [position]  # its settings say more than the record
        if change.section not in _NAMED_BY_PATH or change.field:
            continue
        file = files.get(change.key.partition(" ")[0])
        if file is not None and changes[file].kind is change.kind:
            yield position, [file]


def _accounts(changes: Sequence[Change], positions: Sequence[int]) -> _Found:
    """Yield accounts, and what has their name and changed with them."""
    followers: dict[tuple[str, ChangeKind], list[int]] = defaultdict(list)
    for position in positions:
        change = changes[position]
        is_number = change.field in ("", "gid", "gid-ranges", "uid-ranges")
        if change.section in _SAME_NAME and is_number:
            followers[change.key, change.kind].append(position)
    seen = set()
    for position in positions:
        change = changes[position]
        pair = (change.key, change.kind)
        if change.section == "user" and change.field in ("", "gid") and pair not in seen:
            seen.add(pair)
            yield position, followers.get(pair, [])
