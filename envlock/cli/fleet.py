"""The part of ``envlock diff`` for three and more environments."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from envlock.cli.console import Console
from envlock.cli.operands import open_store, read_environment
from envlock.cli.reporting import write_text
from envlock.errors import ExitStatus, UsageError

if TYPE_CHECKING:
    from envlock.config.load import Config
    from envlock.diff.engine import Options
    from envlock.diff.matrix import Matrix
    from envlock.lockfile.reader import Known
    from envlock.model.lock import Lock
    from envlock.store.objects import Store
    from envlock.workflow import Progress

    OptionsOf = Callable[[argparse.Namespace, Config, Store], Options]

_MOST_TABLES = 200_000

FORMATS = ("text", "json")
"""The formats that can tell of more than two environments."""


def add_more(parser: argparse.ArgumentParser) -> None:
    """Add operands beyond two."""
    parser.add_argument("more", nargs="*", metavar="MORE", help="any number of further ones")
    parser.set_defaults(rest="more")


def run_fleet(
    arguments: argparse.Namespace, config: Config, console: Console, options_of: OptionsOf
) -> int:
    """Compare all operands, write the matrix, return the status that policy gives it."""
    from envlock.diff.drift import Result, Severity, exceeds

    operands = (arguments.left, arguments.right, *arguments.more)
    with open_store(config) as store, console.progress("comparing") as steps:
        options = options_of(arguments, config, store)
        matrix = compare_all(operands, config, options, store, steps)
        text = rendered_matrix(matrix, arguments.format, console, full=arguments.all)
    if arguments.output:
        write_text(arguments.output, text)
    else:
        console.out(text)
    if arguments.exit_zero:
        return ExitStatus.OK
    if matrix.report.result is Result.INCONCLUSIVE:
        return ExitStatus.INCONCLUSIVE
    level = None if arguments.fail_on == "never" else Severity(config.diff.fail_on)
    return ExitStatus.DRIFT if exceeds(matrix.report, level) else ExitStatus.OK


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
        if len(known) > _MOST_TABLES:
            known.clear()  # locks so unlike each other gain little by it
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
