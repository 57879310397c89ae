"""Find the data of services in a scan; see `envlock.capture.files.state_kinds`."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from envlock.capture.files.classify import STATE_LIMIT
from envlock.capture.files.ownership import Claims
from envlock.capture.files.rules import noisy_rule
from envlock.capture.files.state_kinds import (
    JOURNALS,
    MAIL,
    MAIL_FOLDERS,
    SQLITE,
    TABLESPACE,
    UNKNOWN,
    StateKind,
    is_marker,
    is_tablespace,
    kinds_marked_by,
    pick_markers,
)
from envlock.capture.scan.access_log import PathChanges
from envlock.capture.scan.index import Index
from envlock.capture.scan.search import PathSearch
from envlock.model.tree import Entry, EntryType, FileClass

_ELSEWHERE = ("/proc/", "/sys/", "/dev/", "/run/", "/tmp/", "/var/tmp/")  # noqa: S108  in a target
_NO_STATE = frozenset({FileClass.CACHE, FileClass.LOG, FileClass.GENERATED})
_OF_SERVICE = re.compile(
    r".*/\.git(?=/)"
    r"|/var/lib/(?:systemd|kubelet|rancher)/[^/]+(?=/)"
    r"|/(?:var/(?:lib|spool|opt|db|games|snap)|snap|root/snap)/[^/]+(?=/)"
    r"|/home/[^/]+/snap/[^/]+(?=/)"
)
"""The folder of one service or program; other large files stand for themselves."""


class Found(NamedTuple):
    """Data that was found: its path, and its kind."""

    path: str
    kind: StateKind


def find_state(
    index: Index, search: PathSearch, shown: Mapping[str, Entry], claims: Claims
) -> list[Found]:
    """Return the data in a scan, by path; data that lies in other data is part of that.

    `shown` is the index as far as what is looked up must be remembered.
    """
    marked = [
        found
        for path in search.pick(pick_markers)
        if not path.startswith(_ELSEWHERE) and path not in claims and path in shown
        for found in _marked(path, shown)
        if _may_be_state(shown[path])
    ]
    queued = sorted(search.below(f"{folder}/" for folder in MAIL_FOLDERS))
    marked += _mail(path for path in queued if _is_file(shown.get(path)))
    marked += (
        Found(_folder_of(entry.path), UNKNOWN)
        for entry in index.larger_than(STATE_LIMIT)
        if _is_large_state(entry, index, claims) and entry.path in shown
    )
    return _outermost(marked)


def may_differ(changes: PathChanges) -> bool:
    """True when other data might be found after some paths changed."""
    mail = tuple(f"{folder}/" for folder in MAIL_FOLDERS)
    for path in changes.appeared_or_vanished:
        if path.startswith(mail) or is_marker(posixpath.basename(path)):
            return True
    before, after = (
        {path for path, entry in entries.items() if entry.size > STATE_LIMIT}
        for entries in (changes.before, changes.after)
    )
    return before != after


def _marked(path: str, shown: Mapping[str, Entry]) -> Iterator[Found]:
    """Yield what a path marks, if it is there."""
    folder, _, name = path.rpartition("/")
    if name.endswith(JOURNALS):
        database = path[: path.rindex("-")]
        if _is_file(shown.get(path)) and _is_file(shown.get(database)):
            yield Found(database, SQLITE)
        return
    if is_tablespace(name):
        if shown[path].type is EntryType.DIRECTORY:
            yield Found(path, TABLESPACE)
        return
    for kind in kinds_marked_by(name):
        top = folder.removesuffix(f"/{kind.below}") if kind.below else folder
        is_below = not kind.below or top != folder
        if top and is_below and all(f"{top}/{other}" in shown for other in kind.beside):
            yield Found(top, kind)
            return


def _mail(paths: Iterable[str]) -> Iterator[Found]:
    for path in paths:
        yield Found(next(f for f in MAIL_FOLDERS if path.startswith(f"{f}/")), MAIL)


def _is_file(entry: Entry | None) -> bool:
    return entry is not None and entry.type is EntryType.FILE


def _may_be_state(entry: Entry) -> bool:
    """False for what can be made again: data in a cache is left out as a cache."""
    rule = noisy_rule(entry, owned=False, exists=lambda _path: True)
    return rule is None or rule.file_class not in _NO_STATE


def _is_large_state(entry: Entry, index: Index, claims: Claims) -> bool:
    if entry.path.startswith(_ELSEWHERE) or entry.path in claims:
        return False
    rule = noisy_rule(entry, owned=False, exists=index.__contains__)
    return rule is not None and rule.file_class is FileClass.STATE


def _folder_of(path: str) -> str:
    """Return the folder of the service that a large file belongs to, or the file itself."""
    found = _OF_SERVICE.match(path)
    return found[0] if found else path


def _outermost(found: Iterable[Found]) -> list[Found]:
    """Return data by path, the first kind of a path, without what lies in other data.

    Data of a known kind is never part of data of an unknown one, which is classified file by file.
    """
    known: dict[str, Found] = {}
    for each in sorted(found, key=lambda each: (each.path, each.kind is UNKNOWN)):
        folders = (each.path[:at] for at, letter in enumerate(each.path) if letter == "/")
        above = [known[folder] for folder in folders if folder in known]
        if not any(other.kind is not UNKNOWN or each.kind is UNKNOWN for other in above):
            known.setdefault(each.path, each)
    return list(known.values())
