"""Search for a finding by its id, between two environments or between all locks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from envlock.cli.operands import locks_in_use, read_environment
from envlock.cli.policy_options import make_policy
from envlock.diff.drift import Change
from envlock.diff.engine import Options
from envlock.diff.policy.bind import mirrored_id
from envlock.workflow import compare_environments, reader_of

if TYPE_CHECKING:
    from envlock.config.load import Config
    from envlock.lockfile.reader import ParsedTables
    from envlock.store.objects import Store
    from envlock.workflow import Environment, Progress


class PairFinding(NamedTuple):
    """A change, and the names of the left and the right environment that it is between."""

    environments: tuple[str, str]
    change: Change


def find(
    fingerprint: str,
    operands: Sequence[str],
    config: Config,
    today: date,
    store: Store,
    progress: Progress,
) -> list[PairFinding]:
    """Return the findings with this id between the given environments, else between all locks.

    Waivers are not applied, so that a waived finding is found too.
    """
    known: ParsedTables = {}
    environments = [
        read_environment(name, config, store, progress, known)
        for name in locks_in_use(operands, config)
    ]
    if not operands:
        environments = [side._replace(name=side.policy_name or side.name) for side in environments]
    options = Options(
        ignore=tuple(config.diff.ignore),
        contents=reader_of(store),
        policy=replace(make_policy(config, today), waive=()),
        bind=True,
    )
    return [
        finding
        for pair in combinations(environments, 2)
        for finding in _find_between(fingerprint, pair, options, store)
    ]


def _find_between(
    fingerprint: str, pair: tuple[Environment, Environment], options: Options, store: Store
) -> Iterator[PairFinding]:
    """Yield the finding with this id, with the pair in the given order or else reversed."""
    changes = compare_environments(*pair, options, store).changes
    left, right = (side.policy_name or side.name for side in pair)
    if all(fingerprint != change.id for change in changes):
        if all(fingerprint != mirrored_id(change) for change in changes):
            return
        changes = compare_environments(pair[1], pair[0], options, store).changes
        left, right = right, left
    yield from (PairFinding((left, right), c) for c in changes if c.id == fingerprint)
