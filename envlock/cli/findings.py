"""Findings by their fingerprint: looked for between two environments, or between all locks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from envlock.cli.operands import locks_in_use, read_environment
from envlock.cli.policy_options import make_policy

if TYPE_CHECKING:
    from envlock.config.load import Config
    from envlock.diff.drift import Change
    from envlock.diff.engine import Options
    from envlock.lockfile.reader import ParsedTables
    from envlock.store.objects import Store
    from envlock.workflow import Environment, Progress


class Finding(NamedTuple):
    """A finding, and the two environments between which it stands, in this order."""

    environments: tuple[str, str]
    change: Change


def find(
    fingerprint: str,
    operands: Sequence[str],
    config: Config,
    today: date,
    store: Store,
    progress: Progress,
) -> list[Finding]:
    """Return the findings of that id between the environments named, else between all locks.

    No waiver acts, so that a finding that is waived is found as well.
    """
    from dataclasses import replace

    from envlock.diff.engine import Options
    from envlock.workflow import reader_of

    known: ParsedTables = {}
    environments = [
        read_environment(name, config, store, progress, known)
        for name in locks_in_use(operands, config)
    ]
    if not operands:
        environments = [side._replace(name=side.known_as or side.name) for side in environments]
    options = Options(
        ignore=tuple(config.diff.ignore),
        contents=reader_of(store),
        policy=replace(make_policy(config, today), waive=()),
        bind=True,
    )
    return [
        finding
        for pair in combinations(environments, 2)
        for finding in _between(fingerprint, pair, options, store)
    ]


def _between(
    fingerprint: str, pair: tuple[Environment, Environment], options: Options, store: Store
) -> Iterator[Finding]:
    """Yield the finding of that id between a pair in the order given, else in the other one."""
    from envlock.diff.policy.bind import mirrored_id
    from envlock.workflow import compare_environments

    changes = compare_environments(*pair, options, store).changes
    names = tuple(side.known_as or side.name for side in pair)
    if all(fingerprint != change.id for change in changes):
        if all(fingerprint != mirrored_id(change) for change in changes):
            return
        changes = compare_environments(pair[1], pair[0], options, store).changes
        names = names[::-1]
    left, right = names
    yield from (Finding((left, right), c) for c in changes if c.id == fingerprint)
