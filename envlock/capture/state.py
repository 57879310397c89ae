"""Data of services in one capture: all of it or nothing, and never while its server runs."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import NamedTuple

from envlock.capture.files.classify import without_digest
from envlock.capture.files.state_kinds import TABLESPACE, StateKind, kind_of
from envlock.capture.files.state_search import StateFound
from envlock.capture.files.unknown_state import Sizes
from envlock.capture.scan.access_log import PathChanges
from envlock.errors import StateInUseError
from envlock.model.deciding import Kind, decides
from envlock.model.record import Record
from envlock.model.state import DATA, SECTION, StateData, StateMap
from envlock.model.text import escape
from envlock.model.tree import OBSERVED, Entry, EntryType, FileClass, Row
from envlock.targets.base import ListsPrograms, Target

_DECIDES = Kind.PROGRAM | Kind.SETTING | Kind.KEY_STORE | Kind.PLUGIN
_VERSION_LIMIT = 64
"""Most bytes of a file that states the version of a format."""
_WHOLLY_STATE = frozenset({FileClass.UNOWNED, FileClass.STATE})
_LINKS = frozenset({EntryType.SYMLINK})


class ServiceState:
    """The data of services that a capture knows of.

    `wanted` are the paths of ``--with-state``: data at or below one of them is kept whole.
    """

    def __init__(self, wanted: Collection[str] = ()) -> None:
        self._wanted = tuple(path.rstrip("/") for path in wanted)
        self._data: tuple[StateData, ...] = ()
        self._map = StateMap()
        self.sizes: Sizes = {}
        """How much unknown data each service has."""

    def is_wanted(self, path: str) -> bool:
        """True when a path is asked for, before it is known what is there."""
        return any(path == each or path.startswith(f"{each}/") for each in self._wanted)

    def set(self, data: Iterable[StateData]) -> None:
        """Take what is known of the data."""
        self._data = tuple(data)
        self._map = StateMap(self._data)

    def take(
        self, found: StateFound, target: Target, source: Target, entries: Mapping[str, Entry]
    ) -> None:
        """Take the data that a search found, its versions read from `target`.

        Raise StateInUseError where it is to be kept and in use, see `require_stopped`.
        """
        self.set(
            StateData(
                path,
                kind.engine,
                _version(target, f"{path}/{kind.version}") if kind.version else "",
                is_kept=self.is_wanted(path),
            )
            for path, kind in found.data
        )
        self.sizes = found.sizes
        self.require_stopped(source, entries)

    def data_at(self, path: str) -> StateData | None:
        """Return the data that a path is part of, None for any other path."""
        return self._map.at(path)

    def is_kept(self, path: str) -> bool:
        """True for a path of data that is kept whole."""
        data = self.data_at(path)
        return data is not None and data.is_kept

    def applied(self, row: Row, entry: Entry) -> Row:
        """Return the classified row of an entry as the data that it is part of requires."""
        data = self.data_at(entry.path)
        if data is not None and data.path == entry.path and entry.type is EntryType.DIRECTORY:
            return row  # the folder itself stays
        if data is None or (data.engine == DATA and row.file_class is not FileClass.STATE):
            return row
        is_file = entry.type is EntryType.FILE
        is_decisive = row.file_class.is_significant and (
            row.owner or decides(entry, _DECIDES, _is_there)
        )
        if data.is_kept:
            kind = row.file_class if is_decisive else FileClass.STATE
            is_elsewhere = row.source and not row.source.startswith((OBSERVED, "blob "))
            source = row.source if is_elsewhere else f"blob {entry.sha256}" if is_file else ""
            return Row(entry, kind, row.owner, source)
        if is_decisive or row.file_class not in _WHOLLY_STATE:
            return row
        return Row(without_digest(entry), FileClass.STATE, "", OBSERVED if is_file else "")

    def records(self, entries: Iterable[Entry] = ()) -> list[Record]:
        """Return a record for each; its size is that of `entries`, or what is known of it."""
        sizes = {each.path: each.size for each in self._data}
        for entry in entries if self._data else ():
            data = self.data_at(entry.path)
            if data is not None and entry.type is EntryType.FILE:
                sizes[data.path] += entry.size
        return [_record(each, sizes[each.path]) for each in self._data]

    def read_versions(self, changes: PathChanges, target: Target) -> None:
        """Read the versions again that changed files state."""
        changed = changes.paths
        read = []
        for each in self._data:
            name = kind_of(each.engine, each.path).version
            path = f"{each.path}/{name}"
            is_changed = name and path in changed
            read.append(each._replace(version=_version(target, path)) if is_changed else each)
        self.set(read)

    def update(self, changes: PathChanges) -> None:
        """Take over changed sizes of files."""
        grown = {each.path: 0 for each in self._data}
        for entries, sign in ((changes.before, -1), (changes.after, 1)):
            for path, entry in entries.items():
                data = self.data_at(path)
                if data is not None and entry.type is EntryType.FILE:
                    grown[data.path] += sign * entry.size
        self.set(each._replace(size=each.size + grown[each.path]) for each in self._data)

    def require_stopped(self, target: Target, entries: Mapping[str, Entry]) -> None:
        """Raise StateInUseError when the server of data that is kept runs, or parts are missing.

        What cannot be seen (processes in another namespace) cannot be refused.
        """
        kept = [each for each in self._data if each.is_kept]
        if not kept:
            return
        running = target.programs() if isinstance(target, ListsPrograms) else None
        of_tablespaces = cache(lambda: _pid_files(self._beside_tablespaces(), TABLESPACE, target))
        children = _children(kept, entries)
        for data in kept:
            kind = kind_of(data.engine, data.path)
            seen = None if running is None else [name for name in kind.programs if name in running]
            if seen is None or seen:
                inside = _inside(data.path, kind)
                found = of_tablespaces() if kind is TABLESPACE else _pid_files(inside, kind, target)
                _refuse_if_running(data, seen, found)
            self._refuse_if_torn(data, _links_elsewhere(data, kind, entries, children))

    def _beside_tablespaces(self) -> list[str]:
        """Return the pid files inside of all data that a tablespace may belong to."""
        return [
            pid_file
            for data in self._data
            if data.engine == TABLESPACE.engine
            for pid_file in _inside(data.path, kind_of(data.engine, data.path))
        ]

    def _refuse_if_torn(self, data: StateData, links: Iterable[tuple[str, str]]) -> None:
        """Raise StateInUseError when a part of the data lies elsewhere and is not kept."""
        for path, target in links:
            if not (self.is_kept(f"{target}/x") or self.is_wanted(target)):
                raise StateInUseError(
                    f"a part of the {data.engine} data lies elsewhere and would be left out: "
                    f"{escape(target)}",
                    where=path,
                    hint=f"add --with-state {target}",
                )


class _PidFiles(NamedTuple):
    """The files of process numbers that are there, and whether data may have some inside."""

    present: tuple[str, ...]
    may_be_inside: bool


def _pid_files(inside: Collection[str], kind: StateKind, target: Target) -> _PidFiles:
    outside = [name for name in kind.pid_files if name.startswith("/")]
    present = tuple(path for path in (*inside, *outside) if _has(target, path))
    return _PidFiles(present, may_be_inside=bool(inside))


def _children(kept: Iterable[StateData], entries: Iterable[str]) -> Mapping[str, list[str]]:
    """Return the paths directly in each folder all of whose links may lead to parts elsewhere."""
    found: dict[str, list[str]] = {
        _elsewhere(data, pattern)[0]: []
        for data in kept
        for pattern in kind_of(data.engine, data.path).elsewhere
        if pattern.endswith("/*")
    }
    for path in entries if found else ():
        folder = path.rpartition("/")[0]
        if folder in found:
            found[folder].append(path)
    return found


def _elsewhere(data: StateData, pattern: str) -> tuple[str, str]:
    """Return the folder and the name of what may lie elsewhere."""
    folder, _, name = f"{data.path}/{pattern}".rpartition("/")
    return folder, name


def _links_elsewhere(
    data: StateData,
    kind: StateKind,
    entries: Mapping[str, Entry],
    children: Mapping[str, list[str]],
) -> Iterator[tuple[str, str]]:
    """Yield the links in data that lead to parts of it elsewhere, and where they lead."""
    for pattern in kind.elsewhere:
        folder, name = _elsewhere(data, pattern)
        for path in children[folder] if name == "*" else [f"{folder}/{name}"]:
            entry = entries.get(path)
            if entry is not None and entry.type in _LINKS:
                target = posixpath.normpath(posixpath.join(folder, entry.target))
                if not target.startswith(f"{data.path}/"):
                    yield path, target


def _inside(path: str, kind: StateKind) -> list[str]:
    return [f"{path}/{name}" for name in kind.pid_files if not name.startswith("/")]


def _refuse_if_running(data: StateData, seen: Sequence[str] | None, pid_files: _PidFiles) -> None:
    """Raise StateInUseError when the server of data runs, as far as that can be seen.

    `seen` are its programs that run, None where these cannot be seen.  Where pid files may lie in
    data, only they tell which server.
    """
    present = pid_files.present
    if not present and (seen is None or pid_files.may_be_inside):
        return
    proof = f"the process {seen[0]}" if seen else f"its file {present[0]}"
    raise StateInUseError(
        f"{data.path}: its {data.engine} server seems to run ({proof}), so a copy would be torn",
        hint="stop the server and capture again"
        + (f"; if it does not run, remove {present[0]}" if present and not seen else "")
        + "; or leave the data out and restore a dump of it",
    )


def _has(target: Target, path: str) -> bool:
    with suppress(OSError):
        target.stat(path)
        return True
    return False


def _version(target: Target, path: str) -> str:
    """Return the version that a file states, empty where it cannot be read."""
    with suppress(OSError):
        text = target.read(path, _VERSION_LIMIT).decode("ascii", "replace").strip()
        return text if text.replace(".", "").isalnum() else ""
    return ""


def _record(data: StateData, size: int) -> Record:
    facts = {
        "engine": data.engine,
        "version": data.version,
        "size": str(size) if size else "",
    }
    if data.is_kept:
        facts["kept"] = "whole"
    return Record(SECTION, data.path, {name: value for name, value in facts.items() if value})


def _is_there(_path: str) -> bool:
    return True
