"""Read three or more environments and compare them, for ``envlock diff``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from envlock.cli import git_revision
from envlock.cli.operands import read_environment

if TYPE_CHECKING:
    from envlock.config.load import Config
    from envlock.diff.engine import Options
    from envlock.diff.many.matrix import Matrix
    from envlock.lockfile.reader import ParsedTables
    from envlock.model.lock import Lock
    from envlock.store.objects import Store
    from envlock.workflow import Progress

_MOST_SHARED_RECORDS = 200_000


def compare_many_operands(
    operands: Sequence[str],
    config: Config,
    options: Options,
    store: Store,
    progress: Progress,
    *,
    roots: Sequence[str] = (),
    whole: bool = False,
) -> Matrix:
    """Read the environments one after another and compare their applications, or with `whole` all.

    `roots` are those of ``--root``.
    """
    from envlock.diff.many.consensus import SectionPool
    from envlock.diff.many.matrix import compare_many
    from envlock.scope.pairing_many import pair_many

    known: ParsedTables = {}
    pool = SectionPool()
    locks: dict[str, Lock] = {}
    for operand, name in short_names(operands).items():
        lock = read_environment(operand, config, store, progress, known, roots=roots).lock
        locks[name] = pool.share(lock)
        if len(known) > _MOST_SHARED_RECORDS:
            known.clear()  # locks that differ so much gain little from sharing records
    if whole:
        return compare_many(locks, options)
    paired = pair_many(locks)
    return compare_many(paired.locks, replace(options, scoping=paired.scoping))


def short_names(operands: Sequence[str]) -> dict[str, str]:
    """Return a name for each operand: that of its lockfile, or the operand if two are the same."""
    short = {operand: _short_name(operand) for operand in operands}
    taken = list(short.values())
    return {o: name if taken.count(name) == 1 else o for o, name in short.items()}


def _short_name(operand: str) -> str:
    is_file = operand.endswith(".lock") and not operand.startswith(git_revision.PREFIX)
    return PurePath(operand).name.removesuffix(".lock") or operand if is_file else operand
