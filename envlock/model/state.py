"""Data of services in a lock: which folders hold some, and whether a rebuild has it.

A record of section ``state`` has the path as its key, the facts ``engine``, ``version`` (of the
format, where it is stated) and ``size`` in bytes, and ``kept`` where the data is in the lock.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from envlock.model.lock import Lock
from envlock.model.text import whole_number

SECTION = "state"
WITH_DATABASE = ("", "-wal", "-shm", "-journal")
"""What belongs to a SQLite database, as suffixes of its name (SQLite, "Temporary Files")."""
DATA = "data"
"""The engine of data that no known program made: only what is classified as state belongs to it."""


class StateData(NamedTuple):
    """The data of one service: a folder with all that is in it, or a file with its journals."""

    path: str
    engine: str
    version: str = ""
    size: int = 0
    is_kept: bool = False

    def covers(self, path: str) -> bool:
        """True when a path is part of the data; the folder itself is not."""
        if path.startswith(self.path):
            rest = path[len(self.path) :]
            return rest in WITH_DATABASE or rest.startswith("/")
        return False


class StateMap:
    """Tells which data a path is part of; of several that cover it, the innermost.

    It is quick for paths that come directory by directory, whatever the number of data.
    """

    def __init__(self, data: Iterable[StateData] = ()) -> None:
        self._by_path = {each.path: each for each in data}
        self._last: tuple[str, StateData | None] = ("", None)

    def at(self, path: str) -> StateData | None:
        """Return the data that covers a path, None for any other path."""
        known = self._by_path
        if not known:
            return None
        for suffix in WITH_DATABASE:
            if path.endswith(suffix) and (found := known.get(path.removesuffix(suffix))):
                return found
        folder = path.rpartition("/")[0]
        if folder != self._last[0]:
            self._last = (folder, self._above(folder))
        return self._last[1]

    def _above(self, folder: str) -> StateData | None:
        while folder and folder not in self._by_path:
            folder = folder.rpartition("/")[0]
        return self._by_path.get(folder)


def state_of(lock: Lock) -> tuple[StateData, ...]:
    """Return the data of services that a lock names, by path."""
    return tuple(
        StateData(
            path,
            facts.get("engine", ""),
            facts.get("version", ""),
            whole_number(facts.get("size")) or 0,
            "kept" in facts,
        )
        for path, facts in sorted(lock.sections.get(SECTION, {}).items())
    )


def kept_data(lock: Lock) -> tuple[StateData, ...]:
    """Return the data that is in a lock, whole."""
    return tuple(data for data in state_of(lock) if data.is_kept)


def kept_state(lock: Lock) -> tuple[str, ...]:
    """Return the paths of the data that is in a lock, whole."""
    return tuple(data.path for data in kept_data(lock))


def lost_state(lock: Lock) -> tuple[StateData, ...]:
    """Return the data of which a lock has nothing but that it was there."""
    return tuple(data for data in state_of(lock) if not data.is_kept)
