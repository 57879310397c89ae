"""Data of services in a lock: which folders hold some, and whether a rebuild has it.

A record of section ``state`` has the path as its key, the facts ``engine``, ``version`` (of the
format, where it is stated) and ``size`` in bytes, and ``kept`` where the data is in the lock.
"""

from __future__ import annotations

from typing import NamedTuple

from envlock.model.lock import Lock

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


def state_of(lock: Lock) -> tuple[StateData, ...]:
    """Return the data of services that a lock names, by path."""
    return tuple(
        StateData(
            path,
            facts.get("engine", ""),
            facts.get("version", ""),
            int(facts.get("size", "0")),
            "kept" in facts,
        )
        for path, facts in sorted(lock.sections.get(SECTION, {}).items())
    )


def kept_state(lock: Lock) -> tuple[str, ...]:
    """Return the paths of the data that is in a lock, whole."""
    return tuple(data.path for data in state_of(lock) if data.is_kept)


def lost_state(lock: Lock) -> tuple[StateData, ...]:
    """Return the data of which a lock has nothing but that it was there."""
    return tuple(data for data in state_of(lock) if not data.is_kept)
