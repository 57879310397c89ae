"""Rules for the data of services: an image has all of it or nothing (`envlock.model.state`)."""

from __future__ import annotations

from collections.abc import Iterator

from envlock.materialize.tree.rules import Action, Rule
from envlock.model.lock import Lock
from envlock.model.state import DATA, WITH_DATABASE, StateData, state_of
from envlock.model.tree import EntryType, FileClass

LEFT_OUT = "state:"
"""How the id of a rule begins that leaves data out; its path follows."""

_ALL = frozenset(FileClass)
_STATE = frozenset({FileClass.STATE})
_NOT_DIRECTORIES = frozenset(EntryType) - {EntryType.DIRECTORY}
_STORED = frozenset(EntryType) - {EntryType.SOCKET}


def state_rules(lock: Lock) -> tuple[Rule, ...]:
    """Return the rules for the data that a lock names.

    They come before the built-in ones, which would tear it: an image without a log or a key of a
    database has no database.  The folder itself stays, for its server to begin anew.
    """
    return tuple(rule for data in state_of(lock) for rule in _rules(data))


def _rules(data: StateData) -> Iterator[Rule]:
    within = (f"{data.path}/**",)
    alone = tuple(f"{data.path}{suffix}" for suffix in WITH_DATABASE)
    classes = _STATE if data.engine == DATA else _ALL
    if data.is_kept:
        reason = f"data of {data.engine}, kept whole"
        yield Rule(f"kept-{LEFT_OUT}{data.path}", (*within, *alone), Action.KEEP, reason,
                   types=_STORED, classes=classes)  # fmt: skip
        return
    reason = f"data of {data.engine} was left out of the lock as a whole"
    identity = f"{LEFT_OUT}{data.path}"
    yield Rule(identity, within, Action.DROP, reason, classes=classes)
    yield Rule(identity, alone, Action.DROP, reason, types=_NOT_DIRECTORIES, classes=classes)
