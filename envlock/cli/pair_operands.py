"""Read the two sides of a comparison: the one that names its applications first.

A live side that names none is then captured with the roots that are most like those of the other,
so that it has a closure of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from envlock.cli.operands import key_of_comparison, read_environment
from envlock.model.scope import roles_of
from envlock.targets.kinds import is_target

if TYPE_CHECKING:
    from envlock.config.load import Config
    from envlock.lockfile.reader import ParsedTables
    from envlock.store.objects import Store
    from envlock.workflow import Environment, Progress


def read_pair(
    operands: tuple[str, str],
    config: Config,
    store: Store,
    progress: Progress,
    known: ParsedTables,
    *,
    roots: Sequence[str] = (),
    whole: bool = False,
    deep: bool = False,
) -> tuple[Environment, Environment]:
    """Return both environments, left and right; `roots` are those of ``--root``.

    With `whole` no application is looked for; with `deep` all files of a host are read.
    """
    from envlock.scope.pairing import partner_roots

    key = key_of_comparison(operands)
    found: dict[int, Environment] = {}

    def read(side: int, other: Environment | None) -> Environment:
        search = partial(partner_roots, other.lock) if other and not whole else None
        return read_environment(
            operands[side], config, store, progress, known, key, roots, search, deep=deep
        )

    first, second = sorted((0, 1), key=lambda side: _order(operands[side], config, roots))
    found[first] = read(first, None)
    found[second] = read(second, found[first])
    is_late = not _has_roots(found[first]) and _has_roots(found[second])
    if is_late and is_target(operands[first]) and not whole:
        # Only now it is known what this side should have been searched for.
        found[first] = read(first, found[second])
    return found[0], found[1]


def _has_roots(side: Environment) -> bool:
    return any(role.is_found for role in roles_of(side.lock).values())


def _order(operand: str, config: Config, roots: Sequence[str]) -> int:
    """Return a rank: locks, then targets with roots, then what runs something by itself."""
    if not is_target(operand):
        return 0
    declared = any(e.target == operand and e.roots for e in config.environments.values())
    if declared or roots:
        return 1
    return 3 if operand == "host" or operand.startswith(("ssh:", "dir:")) else 2
