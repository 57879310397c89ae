"""The part of ``envlock diff`` for three and more environments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from envlock.cli.console import Console
from envlock.cli.operands import read_environment
from envlock.errors import UsageError

if TYPE_CHECKING:
    from envlock.config.load import Config
    from envlock.diff.engine import Options
    from envlock.diff.matrix import Matrix
    from envlock.lockfile.reader import Known
    from envlock.model.lock import Lock
    from envlock.store.objects import Store
    from envlock.workflow import Progress

FORMATS = ("text", "json")
"""The formats that can tell of more than two environments."""


def compare_all(
    operands: Sequence[str], config: Config, options: Options, store: Store, progress: Progress
) -> Matrix:
    """Read environments one after another and compare them."""
    from envlock.diff.consensus import SectionPool
    from envlock.diff.matrix import compare_many

    known: Known = {}
    pool = SectionPool()
    locks: dict[str, Lock] = {}
    for operand, name in names_of(operands).items():
        lock = read_environment(operand, config, store, progress, known).lock
        locks[name] = pool.share(lock)
    return compare_many(locks, options)


def rendered_matrix(matrix: Matrix, form: str, console: Console, *, full: bool) -> str:
    """Return `matrix` in the format `form`.  Raise UsageError for one that tells of two only."""
    if form == "json":
        from envlock.report.matrix_json import render_matrix_json

        return render_matrix_json(matrix)
    if form == "text":
        from envlock.report.matrix import render_matrix

        return render_matrix(
            matrix, width=console.width, color=console.color, ascii=not console.unicode, full=full
        )
    raise UsageError(
        f"--format {form} tells of two environments only",
        hint=f"for more of them there is {' and '.join(FORMATS)}",
    )


def names_of(operands: Sequence[str]) -> dict[str, str]:
    """Return a short name for each operand: of a lockfile its own, unless two share it."""
    short = {operand: _short(operand) for operand in operands}
    taken = list(short.values())
    return {o: name if taken.count(name) == 1 else o for o, name in short.items()}


def _short(operand: str) -> str:
    is_file = operand.endswith(".lock") and not operand.startswith("git:")
    return PurePath(operand).name.removesuffix(".lock") or operand if is_file else operand
