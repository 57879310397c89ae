"""Find the data of services in a scan; see `envlock.capture.files.state_kinds`."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

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
    markers_beside,
    pick_markers,
)
from envlock.capture.files.unknown_state import (
    Sizes,
    are_beyond,
    large_state,
    larger_files,
    sizes_of,
)
from envlock.capture.scan.access_log import PathChanges
from envlock.capture.scan.index import Index
from envlock.capture.scan.search import PathSearch
from envlock.model.state import StateData, StateMap
from envlock.model.tree import Entry, EntryType, FileClass

_ELSEWHERE = ("/proc/", "/sys/", "/dev/", "/run/", "/tmp/", "/var/tmp/")  # noqa: S108  in a target
_MAIL = tuple(f"{folder}/" for folder in MAIL_FOLDERS)
_EXECUTABLE = 0o111
_BELOW_VAR = 3
_NO_STATE = frozenset({FileClass.CACHE, FileClass.LOG, FileClass.GENERATED})


class Found(NamedTuple):
    """Data that was found: its path, and its kind."""

    path: str
    kind: StateKind


class StateFound(NamedTuple):
    """What a search found: data by path, and how much unknown data each service has."""

    data: list[Found]
    sizes: Sizes


def find_state(
    index: Index, search: PathSearch, shown: Mapping[str, Entry], claims: Claims
) -> StateFound:
    """Return the data in a scan; what lies in other data is part of that.

    `shown` is the index as far as what is looked up must be remembered.
    """
    marked = [
        found
        for path in search.pick(pick_markers)
        if not path.startswith(_ELSEWHERE) and path not in claims and path in shown
        for found in _marked(path, shown)
        if _may_be_state(shown[path])
    ]
    queued = sorted(search.below(_MAIL))
    marked += _mail(path for path in queued if _is_file(shown.get(path)))
    known = _outermost(marked)
    sizes = sizes_of(index, shown, claims, known_map(known))
    unknown = {*large_state(index, shown, claims), *are_beyond(sizes)}
    return StateFound(_outermost([*known, *(Found(path, UNKNOWN) for path in unknown)]), sizes)


def known_map(found: Iterable[Found]) -> StateMap:
    """Return a map of the data of known kinds."""
    return StateMap(
        StateData(each.path, each.kind.engine) for each in found if each.kind is not UNKNOWN
    )


def may_differ(changes: PathChanges, is_there: Callable[[str], bool]) -> bool:
    """True when other data might be found after some paths changed.

    `is_there` tells whether a path is there now.
    """
    for path in changes.paths:
        before, after = changes.before.get(path), changes.after.get(path)
        name = posixpath.basename(path)
        if _is_folder_below_var(after, name):
            return True
        if _what_counts(before) == _what_counts(after):
            continue
        if path.startswith(_MAIL) or is_marker(name):
            return True
        if any(map(is_there, (*markers_beside(path), *(f"{path}{end}" for end in JOURNALS)))):
            return True
    return larger_files(changes.before) != larger_files(changes.after)


def _what_counts(entry: Entry | None) -> tuple[EntryType, bool] | None:
    """Return what decides whether an entry is a part of data; None for none."""
    return (entry.type, bool(entry.mode & _EXECUTABLE)) if entry is not None else None


def _is_folder_below_var(entry: Entry | None, name: str) -> bool:
    """True for a folder whose owner, which no listing shows, decides whether it marks data."""
    return (
        entry is not None
        and entry.type is EntryType.DIRECTORY
        and entry.path.count("/") == _BELOW_VAR
        and is_marker(name)
    )


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
